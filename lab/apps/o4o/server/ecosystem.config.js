/**
 * What PM2 runs: `pm2 start ecosystem.config.js --env production`. PM2 stores the environment it is given, readable in
 * its list and dump, so no secret is here: the service reads its own .env. Only LOG_DIR is taken from it.
 */
const { existsSync, readFileSync } = require('node:fs')
const { join, resolve } = require('node:path')
const { parse } = require('dotenv')

const envFile = join(__dirname, '.env')
const declared = existsSync(envFile) ? parse(readFileSync(envFile)) : {}
const logDir = resolve(__dirname, declared.LOG_DIR || 'logs')

module.exports = {
  apps: [
    {
      name: 'o4o',
      // The release itself, not a link to it. A reload keeps both: another release needs `pm2 delete` first.
      cwd: __dirname,
      script: join(__dirname, 'dist/main.js'),
      exec_mode: 'cluster',
      instances: 2,
      wait_ready: true,
      listen_timeout: 30000,
      // Longer than the service takes to finish its last requests.
      kill_timeout: 10000,
      max_memory_restart: '256M',
      merge_logs: true,
      out_file: join(logDir, 'pm2-out.log'),
      error_file: join(logDir, 'pm2-error.log'),
      // Keeps out every variable of the shell that happens to start us: each name contains the empty text.
      filter_env: [''],
      env_production: { NODE_ENV: 'production' },
    },
  ],
}
