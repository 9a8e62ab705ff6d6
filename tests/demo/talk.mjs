// Two people in two regions, one at a desk and one with a phone. Arguments: the URLs of two edges' pages.
import { audit, browser, check, DESKTOP, done, fits, message, PHONE, publish, tab, until, watch, write } from './common.mjs'

const [near, far] = process.argv.slice(2)
const desk = await tab(near, { ...DESKTOP, name: 'Ada' })
const phone = await tab(far, { ...PHONE, name: 'Radia' })
const person = (page, name) => page.locator('.person .name').getByText(name, { exact: true })

// Presence, both ways.
await person(desk, 'Radia').waitFor()
await person(phone, 'Ada').waitFor({ state: 'attached' })

// Regions are known, but nothing is far and nothing can be cut where no distances are emulated.
await desk.locator('.person', { hasText: 'Radia' }).getByText('ap-south').waitFor()
check(await desk.locator('.region').count() === 3, 'three regions')
check(await desk.getByRole('button', { name: /^Cut/ }).count() === 0, 'no region can be cut')

// Writing is seen before the message, and no longer after it; the message tells how long it took.
await desk.locator('#text').pressSequentially('Hello')
await phone.getByText('Ada is writing…').waitFor()
await desk.press('#text', 'Enter')
await message(phone, 'Hello').waitFor()
await until(phone, () => document.getElementById('typing').textContent === '')
for (const page of [desk, phone]) {
  const took = await message(page, 'Hello').locator('.delivery').textContent()
  check(/^delivered in (\d+ ms|\d+\.\d s)$/.test(took), took)
}
await write(phone, 'Hello back')
await message(desk, 'Hello back').waitFor()
check(await message(desk, 'Hello').evaluate(node => node.classList.contains('own')), 'own messages look so')

// A button sends too, Shift+Enter makes a line.
await desk.locator('#text').pressSequentially('two')
await desk.press('#text', 'Shift+Enter')
await desk.locator('#text').pressSequentially('lines')
await desk.getByRole('button', { name: 'Send', exact: true }).click()
await until(phone, () => document.querySelector('.message:last-child .bubble').textContent === 'two\nlines')

// What others send is text, whatever it looks like, and whatever its shape.
const evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
await write(phone, evil)
await message(desk, evil).waitFor()
check(await desk.locator('#messages img, #messages script').count() === 0, 'no element comes from a message')
const odd = [null, 7, 'plain', [1], { text: { a: 1 } }, { id: {}, sent: 'never', text: 'odd' }, { text: 'x'.repeat(60_000) }]
for (const data of odd) await publish(near, data)
await publish(near, { text: 'w'.repeat(2000) })
await publish(near, { text: 'the last odd one' })
await message(desk, 'the last odd one').waitFor()
await message(phone, 'the last odd one').waitFor()

// A name is text too.
const bold = '<b>Ada</b>'
await desk.click('#me')
await desk.fill('#name', bold)
await audit(desk, 'dialog')
await desk.press('#name', 'Enter')
await person(phone, bold).waitFor({ state: 'attached' })
check(await phone.locator('.person b').count() === 0, 'no element comes from a name')

// What it is to look at, without eyes and with a small screen.
for (const colorScheme of ['light', 'dark']) {
  for (const page of [desk, phone]) {
    await page.emulateMedia({ colorScheme })
    await audit(page, `chat, ${colorScheme}`)
  }
}
await fits(phone, 390)
await fits(phone, 360)
await phone.click('#mesh-toggle')
await person(phone, bold).waitFor()
await audit(phone, 'regions and people')
await fits(phone, 360)

const developers = await desk.context().newPage()
watch(developers, new URL(near).host)
await developers.goto(new URL('/app/developers.html', near).href)
await developers.getByText('/connection/websocket').first().waitFor()
await audit(developers, 'developers')
await fits(developers, 360)

// Who goes is gone.
await desk.close()
await person(phone, bold).waitFor({ state: 'detached' })
await done({ version: browser.version() })
