import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  plugins: [react()],
  build: {
    // Says which chunk is loaded when; bundle-report.js reads it.
    manifest: true,
    // An image inside a script cannot be cached, or looked at, by itself.
    assetsInlineLimit: 0,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:3000' } },
})
