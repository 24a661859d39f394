/** The calls the page makes. Each throws when the answer is not what it should be. */
export interface Item {
  id: string
  title: string
  created_at: string
}

export async function loadItems(): Promise<Item[]> {
  const answer = await call('/api/items')
  return ((await answer.json()) as { items: Item[] }).items
}

export async function addItem(title: string): Promise<void> {
  const { token } = (await (await call('/api/csrf-token')).json()) as { token: string }
  await call('/api/items', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-csrf-token': token },
    body: JSON.stringify({ title }),
  })
}

async function call(path: string, init?: RequestInit): Promise<Response> {
  const answer = await fetch(path, init)
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`)
  return answer
}
