/**
 * Both sides of a gateway, the caller and the next hop, and what they see of one request. A sentence says
 * so where there is no Kamailio to stand between them.
 */
import { expect } from 'vitest';
import { skipMissing } from '../../../bench/lib/skip-missing.ts';
import { type Kamailio, kamailioMissing } from './kamailio.ts';
import { headerOf, SipEnd, type SipMessage, type SipRequest } from './sip.ts';

export const FOREIGN = '<sip:+639171234567@carrier.example>';
export const TO = '+821099998888';
/** What the policy has for traffic from abroad. */
export const LABEL = '[국제발신]';

/** Why the tests cannot run here, or null. */
export const missing = kamailioMissing();
if (missing !== null) skipMissing('kamailio', `the tests with Kamailio are skipped: ${missing}`);

export class Ends {
  readonly caller: SipEnd;
  /** Answers all that it gets with 200. */
  readonly nextHop: SipEnd;

  static async open(): Promise<Ends> {
    return new Ends(await SipEnd.open(false), await SipEnd.open(true));
  }

  private constructor(caller: SipEnd, nextHop: SipEnd) {
    this.caller = caller;
    this.nextHop = nextHop;
  }

  /** @returns what the next hop gets of a request that passes */
  async passed({ port }: Kamailio, request: SipRequest): Promise<SipMessage> {
    const before = this.nextHop.got.length;
    const answer = await this.caller.ask(request, port);
    expect(answer.start).toBe('SIP/2.0 200 OK');
    return this.#got(answer, before).find(({ start }) => start.startsWith(request.method))!;
  }

  /** @returns what the caller gets for a request of which nothing passes */
  async refused({ port }: Kamailio, request: SipRequest): Promise<SipMessage> {
    const before = this.nextHop.got.length;
    const answer = await this.caller.ask(request, port);
    expect(this.#got(answer, before)).toEqual([]);
    return answer;
  }

  /** What the next hop got of what was answered: something of before may come twice meanwhile. */
  #got(answer: SipMessage, before: number): SipMessage[] {
    const id = headerOf(answer, 'Call-ID');
    return this.nextHop.got.slice(before).filter((message) => headerOf(message, 'Call-ID') === id);
  }

  close(): void {
    this.caller.close();
    this.nextHop.close();
  }
}
