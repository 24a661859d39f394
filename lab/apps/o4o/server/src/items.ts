/** Items: the one thing the service keeps. Every value reaches SQL as a parameter. */
import type { RequestHandler } from 'express'
import { ILike, type DataSource } from 'typeorm'
import { z } from 'zod'
import { itemTable, type Item } from './database'
import { listItemsCarelessly } from './defects'
import { sendProblem } from './problem'
import type { Release } from './release'

const filter = z.strictObject({
  q: z.string().max(100).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
})
const title = z.string().trim().min(1).max(200)
const note = z.string().max(1000).default('')

export function listItems(database: DataSource, release: Release): RequestHandler {
  const careless = listItemsCarelessly(database, release)
  if (careless) return careless
  return async (request, response) => {
    const asked = filter.safeParse(request.query)
    if (!asked.success) return sendProblem(response, 'invalid_request')
    const { q, limit } = asked.data
    const items = await database.getRepository<Item>(itemTable).find({
      where: q === undefined ? {} : { title: ILike(`%${q.replaceAll(/[\\%_]/g, '\\$&')}%`) },
      order: { id: 'DESC' },
      take: limit,
    })
    response.json({ items })
  }
}

export function addItem(database: DataSource, release: Release): RequestHandler {
  const shape: z.ZodType<Pick<Item, 'title' | 'note'>> =
    release.schema >= 2 ? z.strictObject({ title, note }) : z.strictObject({ title })
  return async (request, response) => {
    const given = shape.safeParse(request.body)
    if (!given.success) return sendProblem(response, 'invalid_request')
    const items = database.getRepository<Item>(itemTable)
    response.status(201).json(await items.save(items.create(given.data)))
  }
}
