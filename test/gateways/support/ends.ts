/**
 * Both sides of a gateway, the caller and the next hop, and what they see of one request. Prints a message if Kamailio is not
 * installed.
 */
import { afterAll, beforeAll, expect } from 'vitest';
import { skipMissing } from '../../../bench/lib/skip-missing.ts';
import { type Kamailio, type KamailioSettings, kamailioMissing, startKamailio } from './kamailio.ts';
import { gatewayService } from './service.ts';
import { headerOf, SipEnd, type SipMessage, type SipRequest } from './sip.ts';

export const FOREIGN = '<sip:+639171234567@carrier.example>';
export const TO = '+821099998888';
/** The label of the policy for traffic from abroad. */
export const LABEL = '[국제발신]';

/** So long that even a slow machine does not reach it, in ms. */
export const TIMEOUT_MS = 60_000;

/** Why the tests cannot run here; null if they can. */
export const missing = kamailioMissing();
if (missing !== null) skipMissing('kamailio', `the tests with Kamailio are skipped: ${missing}`);

export class Ends {
  readonly caller: SipEnd;
  /** Answers all requests with 200. */
  readonly nextHop: SipEnd;

  static async open(): Promise<Ends> {
    return new Ends(await SipEnd.open(false), await SipEnd.open(true));
  }

  private constructor(caller: SipEnd, nextHop: SipEnd) {
    this.caller = caller;
    this.nextHop = nextHop;
  }

  /** Sends a request that must pass. @returns what the next hop receives */
  async passed({ port }: Kamailio, request: SipRequest): Promise<SipMessage> {
    const before = this.nextHop.got.length;
    const response = await this.caller.request(request, port);
    expect(response.start).toBe('SIP/2.0 200 OK');
    return this.#got(response, before).find(({ start }) => start.startsWith(request.method))!;
  }

  /** Sends a request that must not pass. @returns what the caller receives */
  async refused({ port }: Kamailio, request: SipRequest): Promise<SipMessage> {
    const before = this.nextHop.got.length;
    const response = await this.caller.request(request, port);
    expect(this.#got(response, before)).toEqual([]);
    return response;
  }

  /** The messages of the same call at the next hop. Older messages may be repeated meanwhile. */
  #got(response: SipMessage, before: number): SipMessage[] {
    const id = headerOf(response, 'Call-ID');
    return this.nextHop.got.slice(before).filter((message) => headerOf(message, 'Call-ID') === id);
  }

  close(): void {
    this.caller.close();
    this.nextHop.close();
  }
}

/** One Kamailio between two ends, in front of the real service, for all tests of a suite. */
export class Gateway {
  ends!: Ends;
  kamailio!: Kamailio;

  /** Call this in `describe`. @param given another config than examples/kamailio, or further settings */
  constructor(given: Pick<KamailioSettings, 'config' | 'settings'> = {}) {
    beforeAll(async () => {
      this.ends = await Ends.open();
      this.kamailio = await startKamailio({
        ...{ ...gatewayService(), nextHop: this.ends.nextHop.port, ...given },
        settings: { TIMEOUT_MS, ...given.settings },
      });
    });
    afterAll(async () => {
      await this.kamailio?.stop();
      this.ends?.close();
    });
  }

  passed(request: SipRequest): Promise<SipMessage> {
    return this.ends.passed(this.kamailio, request);
  }

  refused(request: SipRequest): Promise<SipMessage> {
    return this.ends.refused(this.kamailio, request);
  }
}
