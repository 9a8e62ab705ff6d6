// Sees distances, cuts a region off and lets it back. Arguments: the URLs of the pages of eu-west and of ap-south.
import { check, DESKTOP, done, message, PHONE, tab, texts, until, write } from './common.mjs'

const [near, far] = process.argv.slice(2)
const desk = await tab(near, { ...DESKTOP, name: 'Ada' })
const phone = await tab(far, { ...PHONE, name: 'Radia' })
const row = region => desk.locator(`.region[data-region="${region}"]`)

// Who is where, and how far.
const far_away = { 'eu-west': '10 ms', 'us-east': '80 ms', 'ap-south': '150 ms' }
for (const [region, distance] of Object.entries(far_away)) await row(region).getByText(distance, { exact: true }).waitFor()
check(await row('eu-west').getByText('this edge').isVisible(), 'the page knows where it is')
const link = await row('ap-south').getByRole('link').getAttribute('href')
check(new URL(link).href === far, `${link} leads to the other page`)
await desk.locator('.person', { hasText: 'Radia' }).getByText('ap-south').waitFor()

// Half of each round trip is what a message can't be faster than.
await write(phone, 'from afar')
const took = await message(desk, 'from afar').locator('.delivery').textContent()
const measured = Number(/ (\d+) ms$/.exec(took)?.[1] ?? 1000)
check(measured >= (10 + 150) / 2, took)
check(await message(desk, 'from afar').locator('.badge').textContent() === 'ap-south', 'a message tells its region')
await until(desk, () => document.querySelector('.region[data-region="ap-south"] .measured').textContent !== '–')

// A region that is cut off keeps its people, and what they write waits.
await row('ap-south').getByRole('button', { name: 'Cut ap-south' }).click()
await row('ap-south').getByText('cut off').waitFor()
await desk.getByRole('img', { name: /ap-south is cut off/ }).waitFor()
await phone.locator('.chip.cut').waitFor()
await write(desk, 'meanwhile')
await message(desk, 'meanwhile').locator('.delivery').waitFor()
await write(phone, 'from the island')
await phone.getByText(/^not confirmed: /).waitFor()
check(await message(phone, 'meanwhile').count() === 0, 'nothing crosses a cut')
check(await phone.locator('#status').textContent() === 'Connected', 'clients of a region that is cut off stay connected')

// Healed, everybody has everything, once and in one order.
await phone.click('#mesh-toggle')
await phone.getByRole('button', { name: 'Heal ap-south' }).click()
await row('ap-south').getByText('150 ms', { exact: true }).waitFor()
await phone.click('#mesh-toggle')
for (const page of [desk, phone]) {
  for (const text of ['meanwhile', 'from the island']) await message(page, text).locator('time').waitFor()
}
const [here, there] = [await texts(desk), await texts(phone)]
check(JSON.stringify(here) === JSON.stringify(there), `${here} here, ${there} there`)
check(new Set(here).size === here.length, `each once: ${here}`)
await done({ measured })
