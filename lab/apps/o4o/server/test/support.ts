/** Values the tests share: an environment that production accepts, made afresh so that no secret is written down. */
import { randomBytes } from 'node:crypto'

export const randomText = () => randomBytes(24).toString('hex')

export const productionEnvironment = (): NodeJS.ProcessEnv => ({
  NODE_ENV: 'production',
  PORT: '3000',
  LOG_LEVEL: 'warn',
  CORS_ORIGINS: 'https://o4o.example, http://127.0.0.1:18003',
  RATE_LIMIT_WINDOW_MS: '60000',
  RATE_LIMIT_MAX: '50',
  DB_HOST: 'db.example',
  DB_PORT: '5432',
  DB_NAME: 'o4o',
  DB_USER: 'o4o',
  DB_PASSWORD: randomText(),
  DB_POOL_SIZE: '5',
  REDIS_HOST: 'redis.example',
  REDIS_PORT: '6379',
  REDIS_PASSWORD: randomText(),
  JWT_SECRET: randomText(),
  CSRF_SECRET: randomText(),
  SMTP_HOST: 'mail.example',
  SMTP_PORT: '587',
  SMTP_USER: 'o4o',
  SMTP_PASSWORD: randomText(),
  ERROR_TRACKING_DSN: `https://${randomText()}@tracker.test/1`,
  APM_DSN: `https://${randomText()}@tracker.test/2`,
})
