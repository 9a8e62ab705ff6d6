// What the scripts share: tabs of a browser that note every complaint. Each step is said, so that the test waits for a step
// rather than for the whole.
import { chromium } from 'playwright-core'
import axe from 'axe-core'
import { fail, say } from './script.mjs'

export const DESKTOP = { viewport: { width: 1280, height: 800 } }
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, colorScheme: 'dark' }

/** How long anything may take: only what never comes does. */
const PATIENCE_MS = 30_000

export function check (holds, what) {
  if (!holds) fail(new Error(what))
}

export const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking']
})

const complaints = []

/** Opens an edge's page under a name and waits until it is connected; `heard` gets each frame that the edge sends. */
export async function tab (url, { name, heard = () => {}, ...options }) {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(PATIENCE_MS)
  const { host, origin } = new URL(url)
  await context.addInitScript(({ name, origin }) => {
    if (location.origin === origin) sessionStorage.setItem('trunkline.name', name)
  }, { name, origin })
  const page = await context.newPage()
  watch(page, host)
  page.on('websocket', socket => socket.on('framereceived', ({ payload }) => heard(payload)))
  await page.goto(url)
  await connected(page)
  await page.locator('.person', { hasText: name }).waitFor({ state: 'attached' })
  say({ opened: name })
  return page
}

export async function connected (page) {
  await page.locator('#status[data-state="connected"]').waitFor()
}

/** Notes what a page complains of, and whatever it asks of anybody but its edge. */
export function watch (page, host) {
  const note = what => complaints.push(`${host}: ${what}`)
  page.on('pageerror', error => note(error.stack))
  page.on('console', message => { if (message.type() === 'error') note(message.text()) })
  const asks = url => { if (new URL(url).host !== host) note(`asked ${url}`) }
  page.on('request', request => asks(request.url()))
  page.on('websocket', socket => asks(socket.url()))
}

/** Ends the script; there must have been nothing to complain of. */
export async function done (value = {}) {
  check(complaints.length === 0, complaints.join('\n'))
  await browser.close()
  say({ done: true, ...value })
}

export async function write (page, text) {
  await page.fill('#text', text)
  await page.press('#text', 'Enter')
  say({ wrote: text })
}

/** The message of that text; there is exactly one. */
export function message (page, text) {
  return page.locator('.message').filter({ has: page.getByText(text, { exact: true }) })
}

/** The texts of a page's messages, in their order. */
export function texts (page) {
  return page.locator('.message .bubble').allTextContents()
}

/** What stands in a page's log, messages and notices, in its order. */
export function lines (page) {
  return page.locator('#messages :is(.bubble, .notice)').allTextContents()
}

/** Reads back until there is no more. */
export async function readBack (page) {
  const end = page.locator('#beginning')
  while (await end.isHidden()) {
    const count = (await texts(page)).length
    await page.evaluate(() => { document.getElementById('log').scrollTop = 0 })
    await until(page, count => {
      return document.querySelectorAll('.message').length > count || !document.getElementById('beginning').hidden
    }, count)
    say({ messages: count })
  }
}

/** Waits until a function of the page's is true. */
export async function until (page, holds, argument) {
  await page.waitForFunction(holds, argument, { timeout: PATIENCE_MS })
}

/** Publishes by the server API. */
export async function publish (url, data) {
  const response = await fetch(new URL('/api/publish', url), {
    method: 'POST',
    headers: { 'X-API-Key': 'dev' },
    body: JSON.stringify({ channel: 'chat:lobby', data })
  })
  const { result } = await response.json()
  return result.offset
}

/** Checks what of a page keeps people out who can't see it, use no mouse, or have weak eyes. */
export async function audit (page, where) {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(() => window.axe.run())
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  const text = grave.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(', ')}`)
  say({ audited: where })
  check(grave.length === 0, `${where}: ${text.join('\n')}`)
}

/** Checks that nothing reaches beyond the page's width. */
export async function fits (page, width) {
  await page.setViewportSize({ width, height: 800 })
  const wide = await page.evaluate(() => document.documentElement.scrollWidth)
  check(wide <= width, `${wide} pixels wide in ${width}`)
}
