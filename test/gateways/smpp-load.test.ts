/**
 * The SMPP proxy when numgate is slow or unavailable, and when one side sends more than the other one answers.
 */
import smpp from 'smpp';
import { describe, expect, it } from 'vitest';
import type { ProxyOptions } from '../../examples/smpp/proxy.ts';
import { type Item, startFakeNumgate } from './support/fake-numgate.ts';
import {
  bindEsme,
  FROM,
  holding,
  LABEL,
  message,
  NEVER_MS,
  NOWHERE,
  proxyTo,
  request,
  startSmsc,
  statuses,
  textOf,
  texts,
} from './support/smpp.ts';

const { ESME_RTHROTTLED, ESME_RINVSRCADR, ESME_RINVDSTADR } = smpp.errors;
/** A sender that a filter in front of numgate rejects. */
const EVIL = '+639170000666';

describe('without numgate, the SMPP proxy', () => {
  it('passes texts with an open fail policy, labelled as from abroad, in order', async () => {
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, NOWHERE, { failPolicy: 'open' });
    const { session } = await bindEsme(proxy.port);
    const answers = await Promise.all(
      texts(500).map((id) => request(session, 'submit_sm', message(FROM, id))),
    );
    expect(statuses(answers)).toEqual(answers.map(() => 0));
    expect(smsc.received.map(textOf)).toEqual(texts(500).map((id) => LABEL + id));
    expect(proxy.counts).toEqual({ passed: 0, labelled: 500, labelNotShown: 0, refused: 0 });
    // Logged once, and not for each message.
    expect(proxy.logged.filter((line) => line.startsWith('numgate'))).toEqual([
      'numgate does not answer unreachable',
    ]);
  });

  it.each<[string, Partial<ProxyOptions>, string]>([
    ['traffic that the ingress calls international', { ingress: { trunk: 'MNL-2' } }, LABEL],
    ['a displayed carrier prefix', { ingress: { type: 'domestic', carrierPrefix: '00700' } }, LABEL],
    ['a label of its own', { label: '[해외]' }, '[해외]'],
    ['no label', { label: null }, ''],
    ['texts from within the country', { ingress: { type: 'domestic' } }, ''],
  ])('labels by its settings if it fails open: %s', async (_, options, label) => {
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, NOWHERE, { failPolicy: 'open', ...options });
    const { session } = await bindEsme(proxy.port);
    await request(session, 'submit_sm', message(FROM, 'x'));
    expect(smsc.received.map(textOf)).toEqual([`${label}x`]);
  });

  it('refuses addresses over 20 octets even if it fails open', async () => {
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, NOWHERE, { failPolicy: 'open' });
    const { session } = await bindEsme(proxy.port);
    const long = '8'.repeat(21);
    const cases = [{ source_addr: long }, { destination_addr: long }, { source_addr: long.slice(1) }];
    const answers = cases.map((fields) => request(session, 'submit_sm', message(FROM, 'x', fields)));
    expect(statuses(await Promise.all(answers))).toEqual([ESME_RINVSRCADR, ESME_RINVDSTADR, 0]);
  });

  it('labels no message for the SIM if it fails open, as it labels none otherwise', async () => {
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, NOWHERE, { failPolicy: 'open' });
    const { session } = await bindEsme(proxy.port);
    await request(session, 'submit_sm', message(FROM, 'x', { protocol_id: 0x7f }));
    expect(smsc.received.map(textOf)).toEqual(['x']);
    expect(proxy.counts).toEqual({ passed: 0, labelled: 0, labelNotShown: 1, refused: 0 });
  });

  it('makes the sender try again with a closed fail policy', async () => {
    const smsc = await startSmsc();
    const proxy = await proxyTo(smsc, NOWHERE, { failPolicy: 'closed' });
    const { session } = await bindEsme(proxy.port);
    const answers = await Promise.all(
      texts(500).map((id) => request(session, 'submit_sm', message(FROM, id))),
    );
    expect(statuses(answers)).toEqual(answers.map(() => ESME_RTHROTTLED));
    expect(smsc.received).toEqual([]);
  });

  it('does not wait beyond the deadline for a silent service', async () => {
    const smsc = await startSmsc();
    const numgate = await startFakeNumgate(true);
    const proxy = await proxyTo(smsc, numgate, { deadlineMs: 200, batchItems: 10, window: 10_000 });
    const { session } = await bindEsme(proxy.port);
    // More messages than all concurrent calls can hold. Messages that wait for a call have the same deadline.
    const answers = await Promise.all(
      texts(1_000).map((id) => request(session, 'submit_sm', message(FROM, id))),
    );
    expect(statuses(answers)).toEqual(answers.map(() => ESME_RTHROTTLED));
  });
});

describe('checks of the SMPP proxy', () => {
  it('are single when idle', async () => {
    const smsc = await startSmsc();
    const numgate = await startFakeNumgate(false);
    const proxy = await proxyTo(smsc, numgate);
    const { session } = await bindEsme(proxy.port);
    await request(session, 'submit_sm', message(FROM, 'first'));
    expect(numgate.calls.map(({ path }) => path)).toEqual(['/v1/gateway/check']);
  });

  it('are bounded batches under load', async () => {
    const smsc = await startSmsc();
    const numgate = await startFakeNumgate(true);
    const options = { batchItems: 100, batchWaitMs: NEVER_MS, window: 10_000 };
    const proxy = await proxyTo(smsc, numgate, options);
    const { session } = await bindEsme(proxy.port);
    const answers = texts(5_000).map((id) => request(session, 'submit_sm', message(FROM, id)));
    // The response comes once all earlier messages have been read.
    await request(session, 'enquire_link');
    numgate.release();
    await Promise.all(answers);
    const sizes = numgate.calls.map(({ items }) => items.length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(5_000);
    expect(Math.max(...sizes)).toBe(100);
    // The first and the last batch may be smaller.
    expect(sizes.length).toBeLessThanOrEqual(51);
    expect(numgate.most()).toBeLessThanOrEqual(4);
    expect(smsc.received.map(textOf)).toEqual(texts(5_000));
  });

  it.each<[string, (items: readonly Item[]) => number, number, number]>([
    ['too many items', (items) => (items.length > 10 ? 413 : 200), 0, 100],
    [
      'a message that a filter rejects',
      (items) => (items.some(({ from }) => from === EVIL) ? 403 : 200),
      1,
      99,
    ],
    ['only messages that a filter rejects', () => 403, 100, 0],
  ])('are split if a batch is rejected for %s', async (_what, statusFor, refused, passed) => {
    const smsc = await startSmsc();
    const numgate = await startFakeNumgate(false, statusFor);
    const proxy = await proxyTo(smsc, numgate, { failPolicy: 'open', batchItems: 100 });
    const { session } = await bindEsme(proxy.port);
    const answers = await Promise.all(
      texts(100).map((id, index) => request(session, 'submit_sm', message(index === 42 ? EVIL : FROM, id))),
    );
    expect(statuses(answers).filter((status) => status === ESME_RTHROTTLED)).toHaveLength(refused);
    expect(proxy.counts).toEqual({ passed, labelled: 0, labelNotShown: 0, refused });
    // Each message is decided by one call, and a rejected call is split in half.
    expect(numgate.calls.length).toBeLessThanOrEqual(199);
  });

  it('do not delay responses to enquire_link', async () => {
    const smsc = await startSmsc();
    const numgate = await startFakeNumgate(true);
    const proxy = await proxyTo(smsc, numgate);
    const { session } = await bindEsme(proxy.port);
    const waiting = request(session, 'submit_sm', message(FROM, 'x'));
    expect((await request(session, 'enquire_link')).command).toBe('enquire_link_resp');
    expect((await request(smsc.sessions[0]!, 'enquire_link')).command).toBe('enquire_link_resp');
    expect(smsc.received).toEqual([]);
    numgate.release();
    expect((await waiting).command_status).toBe(0);
  });
});

describe('the window of the SMPP proxy', () => {
  it('is never exceeded, and the sender waits', async () => {
    const { onMessage, held } = holding();
    const smsc = await startSmsc(onMessage);
    const numgate = await startFakeNumgate(false);
    const proxy = await proxyTo(smsc, numgate, { window: 10 });
    const { session } = await bindEsme(proxy.port);
    const other = await bindEsme(proxy.port);
    const answers = Promise.all(texts(200).map((id) => request(session, 'submit_sm', message(FROM, id))));
    for (let answered = 0; answered < 200; answered++) {
      await smsc.until(Math.min(200, answered + 10));
      // A round trip of another session. Further messages would have arrived by then.
      await request(other.session, 'enquire_link');
      expect(held.length).toBeLessThanOrEqual(10);
      held.shift()!();
    }
    expect(statuses(await answers)).toEqual(Array.from({ length: 200 }, () => 0));
    expect(smsc.received.map(textOf)).toEqual(texts(200));
  });

  it('keeps links alive if nothing responds, and throttles excess messages', async () => {
    const { onMessage, release } = holding();
    const smsc = await startSmsc(onMessage);
    const proxy = await proxyTo(smsc, await startFakeNumgate(false), { window: 10, fullWaitMs: 50 });
    const { session } = await bindEsme(proxy.port);
    const answers = texts(100).map((id) => request(session, 'submit_sm', message(FROM, id)));
    expect((await request(session, 'enquire_link')).command).toBe('enquire_link_resp');
    expect((await request(smsc.sessions[0]!, 'enquire_link')).command).toBe('enquire_link_resp');
    release();
    const passed = Array.from({ length: 100 }, (_, index) => (index < 10 ? 0 : ESME_RTHROTTLED));
    expect(statuses(await Promise.all(answers))).toEqual(passed);
    expect(smsc.received.map(textOf)).toEqual(texts(10));
  });

  it('does not deadlock if both sides have filled theirs', async () => {
    const ofSmsc = holding();
    const ofEsme = holding();
    const smsc = await startSmsc(ofSmsc.onMessage);
    const numgate = await startFakeNumgate(false);
    const proxy = await proxyTo(smsc, numgate, { window: 10 });
    const esme = await bindEsme(proxy.port, ofEsme.onMessage);
    const both = [
      texts(100).map((id) => request(esme.session, 'submit_sm', message(FROM, id))),
      texts(100).map((id) => request(smsc.sessions[0]!, 'deliver_sm', message(FROM, id))),
    ];
    await Promise.all([smsc.until(10), esme.until(10)]);
    await Promise.race(both.flat());
    ofSmsc.release();
    ofEsme.release();
    const [submitted, delivered] = await Promise.all(both.map((responses) => Promise.all(responses)));
    for (const [answers, received] of [
      [submitted!, smsc.received],
      [delivered!, esme.received],
    ] as const) {
      const passed = texts(100).filter((_, index) => answers[index]!.command_status === 0);
      expect(received.map(textOf)).toEqual(passed);
      expect(new Set(statuses(answers))).toEqual(new Set([0, ESME_RTHROTTLED]));
    }
  });
});
