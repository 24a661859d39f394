import type { Words } from './words'

export default function About({ words }: { words: Words }) {
  return (
    <>
      <h2>{words.about}</h2>
      <p>{words.purpose}</p>
      <p>
        <a href="/docs">API</a>
      </p>
    </>
  )
}
