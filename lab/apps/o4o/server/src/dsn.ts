/** A DSN, the one text that says where a tracker is, which project this is, and its key. */
export interface Dsn {
  url: string
  key: string
}

/** `https://KEY@host/PROJECT`; throws when it is anything else, without repeating it. */
export function readDsn(text: string): Dsn {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const [, prefix, project] = /^(.*)\/(\w+)$/.exec(url?.pathname ?? '') ?? []
  if (!url || !/^https?:$/.test(url.protocol) || !url.username || !project) throw new Error('is no DSN')
  return { url: `${url.origin}${prefix}/api/${project}/envelope/`, key: url.username }
}
