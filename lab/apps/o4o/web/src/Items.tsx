import { useEffect, useState, type FormEvent } from 'react'
import { addItem, loadItems, type Item } from './api'
import type { Language, Words } from './words'

export function Items({ words, language }: { words: Words; language: Language }) {
  const [items, setItems] = useState<Item[]>()
  const [hasFailed, setHasFailed] = useState(false)
  const [title, setTitle] = useState('')

  const attempt = (work: () => Promise<void>) => work().then(() => setHasFailed(false), () => setHasFailed(true))
  const reload = async () => setItems(await loadItems())
  useEffect(() => void attempt(reload), [])

  const submit = (event: FormEvent) => {
    event.preventDefault()
    void attempt(async () => {
      await addItem(title)
      setTitle('')
      await reload()
    })
  }
  return (
    <>
      <h2>{words.home}</h2>
      <form onSubmit={submit}>
        <label>
          {words.title} <input value={title} onChange={(event) => setTitle(event.target.value)} maxLength={200} required />
        </label>{' '}
        <button type="submit">{words.add}</button>
      </form>
      {hasFailed && <p role="alert">{words.failed}</p>}
      {items?.length === 0 && <p>{words.empty}</p>}
      <ul>
        {items?.map((item) => (
          <li key={item.id}>
            {item.title} <time dateTime={item.created_at}>{new Date(item.created_at).toLocaleString(language)}</time>
          </li>
        ))}
      </ul>
    </>
  )
}
