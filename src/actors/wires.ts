import type { BeamlineError } from '../errors.js'
import { Pid, Ref } from '../threads/pid.js'
import { ANSWER, ASKED, DATED, Wire } from '../threads/wire.js'
import { Asked } from './asked.js'
import type { Cell } from './cell.js'
import type { Host } from './host.js'
import type { From } from './messages.js'

/** Where it is noted that a question was answered, before who asked goes on. */
interface AnswerLedger {
  done(mark: number): void
  /** What who asked is told when the callee has died. */
  refused(error: BeamlineError): BeamlineError
}

/** A compact message that wants an answer, as it has been sent. */
class AskedByWire extends Asked {
  readonly #ledger: AnswerLedger
  readonly #mark: number

  constructor(host: Host, ref: Ref, caller: Cell, to: Pid, timeout: number, ledger: AnswerLedger, mark: number) {
    super(host.router, 'call', ref, caller.pid, caller.ties, to, timeout, 'the call to')
    this.#ledger = ledger
    this.#mark = mark
  }

  settled(): void {
    this.#ledger.done(this.#mark)
  }

  refused(error: BeamlineError): BeamlineError {
    return this.#ledger.refused(error)
  }
}

/** The compact messages of the library's own processes, which no user's code sends or sees. */
export class Wires {
  readonly #host: Host
  readonly #answer = new Wire()

  constructor(host: Host) {
    this.#host = host
    this.#answer.op = ANSWER
    this.#answer.parts = ASKED | DATED
  }

  /** Sends one for a process that may be dead, as may be the one it is for. */
  tell(sender: Cell, to: Pid, wire: Wire): void {
    if (!sender.alive) return
    const sent = this.#host.processes.isAlive(to) && this.#send(wire, to)
    if (!sent) this.#host.deadLetters.post(to, wire.value)
  }

  /**
   * Sends one that wants an answer.
   * @param ledger is told `mark` when it is answered
   */
  ask(caller: Cell, to: Pid, wire: Wire, timeout: number, ledger: AnswerLedger, mark: number): Promise<unknown> {
    const host = this.#host
    host.assertOpen()
    if (!caller.alive) return caller.over()
    const ref = host.ref()
    wire.serial = ref.serial
    wire.askerSlot = caller.pid.slot
    wire.askerGeneration = caller.pid.generation
    // First, so that another thread works on it while this one notes that it waits: the answer is read later.
    const sent = this.#send(wire, to, caller, ref)
    const answer = host.calls.open(ref, new AskedByWire(host, ref, caller, to, timeout, ledger, mark))
    if (!sent) host.calls.settle(ref.serial, 'exit', 'noproc')
    return answer
  }

  /** Sends one of the library's own accord: a process of this thread takes it at once if it rests. */
  hand(wire: Wire, to: Pid): void {
    wire.slot = to.slot
    wire.generation = to.generation
    wire.thread = this.#host.thread
    if (to.thread !== this.#host.thread) this.#host.mesh.send(to.thread, wire)
    else this.#host.cell(to)?.takeWire(wire)
  }

  /** False when its thread, or its process on this one, is known to be gone. */
  #send(wire: Wire, to: Pid, asker?: Cell, ref?: Ref): boolean {
    wire.slot = to.slot
    wire.generation = to.generation
    if (to.thread !== this.#host.thread) return this.#host.mesh.send(to.thread, wire)
    const cell = this.#host.cell(to)
    wire.thread = this.#host.thread
    // Who sends it runs on: what it does must not happen in the middle of that.
    cell?.keepWire(wire, ref && asker && { pid: asker.pid, ref, callee: to })
    return cell !== undefined
  }

  /** Who waits for the answer to one that came here. */
  askerOf({ parts, thread, serial, askerSlot, askerGeneration }: Wire, callee: Pid): From | undefined {
    if ((parts & ASKED) === 0) return undefined
    const { node } = this.#host
    return { pid: new Pid(node, thread, askerSlot, askerGeneration), ref: new Ref(node, thread, serial), callee }
  }

  /** Answers one that had to wait. */
  reply(by: Cell, from: From, version: number, revision: number): void {
    if (from.pid.thread !== this.#host.thread) return this.#host.router.reply(by, from, 'value', { version, revision })
    this.#host.settle(from.ref.serial, 'value', { version, revision })
    by.tied?.unanswered.remove(from.ref)
  }

  /** Answers one of another thread that was taken at once. */
  answer({ thread, serial }: Wire, version: number, revision: number): void {
    const answer = this.#answer
    answer.serial = serial
    answer.version = version
    answer.revision = revision
    this.#host.mesh.send(thread, answer)
  }

  /** One came for a process that is dead. */
  stray(wire: Wire): void {
    const to = new Pid(this.#host.node, this.#host.thread, wire.slot, wire.generation)
    const from = this.askerOf(wire, to)
    if (from === undefined) this.#host.deadLetters.post(to, wire.value)
    else this.#host.router.reply(undefined, from, 'exit', 'noproc')
  }
}
