// Clerks transfer money between accounts, each of which is a process; in the end there is as much as there was.
import { ActorSystem } from '../src/index.js'
import { cannot, expect, throughput } from './harness/arm.js'
import { quick, runBench } from './harness/run.js'
import { actors, remotes } from './peers/index.js'
import { Account } from './processes/servers.js'

const ACCOUNTS = 100
const CLERKS = 10
const TRANSFERS = quick ? 20 : 200
const BALANCE = 1000
const what = `bank of ${ACCOUNTS} accounts, for each transfer`
const [within, across] = ['within a thread', 'across two threads']

/** Adds to the balance of an account, and tells the new one. */
type Add = (account: number, amount: number) => Promise<number>

/** From one account to another, one transfer after another. */
async function clerk(number: number, add: Add): Promise<void> {
  for (let i = 0; i < TRANSFERS; i++) {
    const amount = 1 + ((number + i) % 10)
    await add((number * 7 + i) % ACCOUNTS, -amount)
    await add((number * 3 + i * 11) % ACCOUNTS, amount)
  }
}

function banking(where: string, by: string | undefined, add: Add): void {
  throughput({ what, where, ...(by && { by }) }, CLERKS * TRANSFERS, async (watch) => {
    watch.start()
    await Promise.all(Array.from({ length: CLERKS }, (_, number) => clerk(number, add)))
    watch.stop()
    const balances = await Promise.all(Array.from({ length: ACCOUNTS }, (_, account) => add(account, 0)))
    expect(
      'sum',
      balances.reduce((sum, balance) => sum + balance),
      ACCOUNTS * BALANCE,
    )
  })
}

const system = await ActorSystem.start({ threads: 1 })
for (const [where, thread] of [
  [across, 0],
  [within, 'main'],
] as const) {
  const open = () => system.start(Account, BALANCE, { thread })
  const accounts = await Promise.all(Array.from({ length: ACCOUNTS }, open))
  banking(where, undefined, (number, amount) => {
    const account = accounts[number] as (typeof accounts)[number]
    return amount < 0 ? account.withdraw(-amount) : account.deposit(amount)
  })
}
for (const peer of await remotes())
  cannot({ what, where: across, by: peer.by }, 'why' in peer ? peer.why : 'an account would need a thread of its own')
for (const peer of await actors()) {
  if ('why' in peer) {
    cannot({ what, where: within, by: peer.by }, peer.why)
    continue
  }
  const open = () => {
    let balance = BALANCE
    return peer.spawn((amount, reply) => {
      balance += amount
      reply(balance)
    })
  }
  const accounts = await Promise.all(Array.from({ length: ACCOUNTS }, open))
  banking(within, peer.by, (account, amount) => peer.ask(accounts[account], amount) as Promise<number>)
}

await runBench('bank')
process.exit()
