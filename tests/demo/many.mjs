// Sees more go by than a page keeps. Arguments: the URL of an edge's page, and how many messages: more than it keeps.
import { check, DESKTOP, done, message, publish, readBack, tab, texts } from './common.mjs'

const [url, total] = process.argv.slice(2)
const names = Array.from({ length: Number(total) }, (_, at) => `message ${at + 1}`)
const page = await tab(url, { ...DESKTOP, name: 'Ada' })
await page.getByText('This is all that the channel keeps.').waitFor()

for (const text of names) await publish(url, { text })
await message(page, names.at(-1)).waitFor()
check(await message(page, names[0]).count() === 0, 'the first is let go of')
check(await page.locator('#beginning').isHidden(), 'and nobody says that it never was')
check(await page.locator('.message .author').first().isVisible(), 'the first that is left tells who wrote it')

await readBack(page)
const all = await texts(page)
check(JSON.stringify(all) === JSON.stringify(names), `every message once, in order: ${all}`)
await done()
