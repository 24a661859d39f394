/**
 * What a pipeline says about its run: `node ci/record.js REVISION REPORT... >pipeline.json`. The reports are vitest's;
 * without a test that was executed, or with one that failed, the record says "failure" and this ends with 1.
 */
const { readFileSync } = require('node:fs')
const { basename } = require('node:path')

const [revision, ...files] = process.argv.slice(2)

const steps = files.map((file) => {
  const report = JSON.parse(readFileSync(file, 'utf8'))
  const failed = report.numFailedTests + report.numFailedTestSuites
  const executed = report.numPassedTests + report.numFailedTests
  const status = report.success && executed > 0 && failed === 0 ? 'success' : 'failure'
  return { name: basename(file, '.json'), status, executed, failed, started_at: new Date(report.startTime).toISOString() }
})
const succeeded = steps.length > 0 && steps.every((step) => step.status === 'success')

process.stdout.write(
  `${JSON.stringify(
    {
      pipeline: 'o4o',
      status: succeeded ? 'success' : 'failure',
      revision,
      started_at: steps.map((step) => step.started_at).sort()[0],
      finished_at: new Date().toISOString(),
      steps,
    },
    null,
    2,
  )}\n`,
)
process.exitCode = succeeded ? 0 : 1
