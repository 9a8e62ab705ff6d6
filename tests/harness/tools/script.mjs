// How a script in JavaScript speaks to its test: lines of JSON, the last of them an error if it fails.

export function say (value) {
  process.stdout.write(JSON.stringify(value) + '\n')
}

export function fail (error) {
  say({ error: String(error?.stack ?? error) })
  process.exit(1)
}

process.on('unhandledRejection', fail)
process.on('uncaughtException', fail)
