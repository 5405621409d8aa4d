/** The SMPP proxy when a label splits a message: the sender gets one response, and all parts are treated alike. */
import smpp, { type PDU } from 'smpp';
import { expect, it } from 'vitest';
import { startFakeNumgate } from './support/fake-numgate.ts';
import {
  accept,
  bindEsme,
  FROM,
  LABEL,
  message,
  NEVER_MS,
  NOWHERE,
  type OnMessage,
  proxyTo,
  request,
  startSmsc,
} from './support/smpp.ts';

const { ESME_RMSGQFUL, ESME_RSYSERR } = smpp.errors;
const LONG = message(FROM, 'x'.repeat(160));
/** With the label, the text has 166 characters in UCS-2, which take three parts. */
const PARTS = 3;

const joined = (received: readonly PDU[]): string =>
  received.map((pdu) => (pdu.short_message as { message: string }).message).join('');

it('a text that becomes several parts has one response, of the last part', async () => {
  let count = 0;
  const smsc = await startSmsc((pdu, session) => {
    session.send(pdu.response({ message_id: `id-${++count}` }));
  });
  const proxy = await proxyTo(smsc, NOWHERE, { failPolicy: 'open' });
  const { session } = await bindEsme(proxy.port);
  const answers = await Promise.all([1, 2].map(() => request(session, 'submit_sm', LONG)));
  expect(answers.map(({ command_status, message_id }) => [command_status, message_id])).toEqual([
    [0, `id-${PARTS}`],
    [0, `id-${2 * PARTS}`],
  ]);
  expect(smsc.received).toHaveLength(2 * PARTS);
  expect(joined(smsc.received.slice(0, PARTS))).toBe(LABEL + 'x'.repeat(160));
  expect(new Set(smsc.received.map(({ sequence_number }) => sequence_number)).size).toBe(2 * PARTS);
  expect(proxy.counts).toEqual({ passed: 0, labelled: 2, labelNotShown: 0, refused: 0 });
});

it.each([1, 2, 3])('an error for part %i is the response, whatever the order', async (failing) => {
  const held: (() => void)[] = [];
  const onMessage: OnMessage = (pdu, session) => {
    const number = held.length + 1;
    held.push(() =>
      number === failing
        ? void session.send(pdu.response({ command_status: ESME_RMSGQFUL }))
        : accept(pdu, session),
    );
    if (held.length === PARTS) for (const answer of held.reverse()) answer();
  };
  const smsc = await startSmsc(onMessage);
  const proxy = await proxyTo(smsc, NOWHERE, { failPolicy: 'open' });
  const { session } = await bindEsme(proxy.port);
  const sent = [request(session, 'submit_sm', LONG), request(session, 'enquire_link')];
  const [answer] = await Promise.all(sent);
  expect(answer!.command_status).toBe(ESME_RMSGQFUL);
});

it('several parts have one response if the SMSC dies', async () => {
  const smsc = await startSmsc((_pdu, session) => session.socket.resetAndDestroy());
  const proxy = await proxyTo(smsc, NOWHERE, { failPolicy: 'open' });
  const { session, closed } = await bindEsme(proxy.port);
  const responses: PDU[] = [];
  session.on('pdu', (pdu: PDU) => {
    if (pdu.command === 'submit_sm_resp') responses.push(pdu);
  });
  expect((await request(session, 'submit_sm', LONG)).command_status).toBe(ESME_RSYSERR);
  await closed;
  expect(responses).toHaveLength(1);
});

it('all parts of a text are labelled, or none, also if numgate fails between them', async () => {
  for (const failing of [1, 2]) {
    const smsc = await startSmsc();
    let call = 0;
    const numgate = await startFakeNumgate(false, () => (++call === failing ? 401 : 200));
    const proxy = await proxyTo(smsc, numgate, { failPolicy: 'open', batchWaitMs: NEVER_MS });
    const { session } = await bindEsme(proxy.port);
    const part = (number: number, reference: number) => {
      const sar = { sar_msg_ref_num: reference, sar_total_segments: 2, sar_segment_seqnum: number };
      return request(session, 'submit_sm', message(FROM, 'part', sar));
    };
    await part(2, 7);
    await part(1, 7);
    const totals = smsc.received.map(({ sar_total_segments }) => sar_total_segments);
    expect(totals).toEqual(failing === 1 ? [6, 6, 6, 6, 6, 6] : [2, 2]);
    // Another text gets a new decision.
    await part(1, 8);
    expect(smsc.received.at(-1)).toMatchObject({ sar_total_segments: 2 });
  }
});
