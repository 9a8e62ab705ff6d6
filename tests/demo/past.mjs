// Reads back to the beginning. Arguments: the URL of an edge's page, how many messages to have, and how many bytes to add to
// each. Says at the end how many messages came at first and how many pages there were.
import { check, DESKTOP, done, message, publish, readBack, tab, texts, until, write } from './common.mjs'

const [url, total, bytes] = process.argv.slice(2)
const name = number => `message ${number}`
const ballast = 'x'.repeat(Number(bytes))
for (let number = 1; number <= Number(total); number++) await publish(url, { text: name(number), ballast })

let pages = 0
const heard = frame => {
  const replies = frame.trim().split('\n').map(line => JSON.parse(line))
  pages += replies.filter(({ history }) => history?.publications.length > 0).length
}
const page = await tab(url, { ...DESKTOP, name: 'Ada', heard })
await message(page, name(total)).waitFor()
const shown = await texts(page)
check(shown.length < Number(total), `${shown.length} of ${total} are shown at once`)
check(await page.locator('#beginning').isHidden(), 'there is more')

// A page comes when its beginning is in sight, and what was in sight stays where it was.
const first = message(page, shown[0])
await page.evaluate(() => {
  const log = document.getElementById('log')
  const first = log.querySelector('.message')
  log.scrollTop = 0
  const before = first.getBoundingClientRect().top
  window.moved = new Promise(resolve => {
    new MutationObserver((_, observer) => {
      if (log.querySelector('.message') === first) return
      observer.disconnect()
      resolve(first.getBoundingClientRect().top - before)
    }).observe(log, { childList: true, subtree: true })
  })
})
const moved = await page.evaluate(() => window.moved)
check(Math.abs(moved) < 60, `the first message moved by ${moved} pixels`)
await first.waitFor()

// What comes meanwhile is announced, not scrolled to.
await publish(url, { text: 'news' })
await page.getByRole('button', { name: 'New messages' }).waitFor()

await readBack(page)
const all = await texts(page)
const expected = [...Array.from({ length: Number(total) }, (_, at) => name(at + 1)), 'news']
check(JSON.stringify(all) === JSON.stringify(expected), `every message once, in order: ${all}`)

await page.getByRole('button', { name: 'New messages' }).click()
await write(page, 'the end')
await until(page, () => {
  const { scrollHeight, scrollTop, clientHeight } = document.getElementById('log')
  return scrollHeight - scrollTop - clientHeight < 2
})
await message(page, 'the end').locator('.delivery').waitFor()
await done({ first: shown.length, pages })
