/**
 * `/asyncapi.json` is valid AsyncAPI 3.0 and describes everything that is sent. Every type of notice and every event of the
 * feed is made here. Notices and events of a real service are checked as well.
 */
import './support/workspace.ts';
import { readFileSync } from 'node:fs';
import { fromFile, Parser } from '@asyncapi/parser';
import { Ajv2020 as Ajv, type ValidateFunction } from 'ajv/dist/2020.js';
import { compactDecrypt, type JWK } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { addClient } from '../../cli/commands/clients.ts';
import { cloudEventOf, FEED_TYPES, feedData } from '../../shared/feed/cloud-event.ts';
import type { CampaignEntry, FeedEntry, HostEntry, PartyEntry } from '../../shared/feed/entry.ts';
import type * as data from '../../shared/notices/data.ts';
import { NOTICE_TYPES, type NoticeType, wireTypeOf } from '../../shared/notices/notice.ts';
import { HANG_MS } from '../shared/support/hang.ts';
import { startTestService, type TestService } from './support/service.ts';
import { startReceiver, type WebhookReceiver } from './support/webhook-receiver.ts';

/** A variable path, which the compiler does not follow, because the module has types of Workers. */
const CLOUD_EVENT: string = '../../workers/notices/cloud-event.ts';
const { cloudEvent } = (await import(CLOUD_EVENT)) as {
  cloudEvent(notice: object, organisation: string, source: string | null): string;
};

const FILE = new URL('../../workers/public/asyncapi.json', import.meta.url);
const DOCUMENT = JSON.parse(readFileSync(FILE, 'utf8')) as {
  components: { schemas: Record<string, { properties?: Record<string, unknown>; required?: string[] }> };
};
const { schemas } = DOCUMENT.components;
const AT = '2026-11-27T03:00:00.000Z';

/** All schemas are closed here, so a member that the document lacks is an error. For receivers it is not. */
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema(closed({ $id: 'asyncapi', ...DOCUMENT }), 'asyncapi');

function closed<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(closed) as Value;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, one]) => [name, closed(one)]);
  const own = Object.fromEntries(entries) as Record<string, unknown>;
  const isObject = own.type === 'object' && own.properties !== undefined;
  return (isObject ? { ...own, additionalProperties: false } : own) as Value;
}

function check(schema: string, value: unknown): void {
  const validate = ajv.getSchema(`asyncapi#/components/schemas/${schema}`) as ValidateFunction;
  expect([schema, validate(value), validate.errors]).toEqual([schema, true, null]);
}

/** The name of a notice's schema: SenderBlockedNotice for `sender.blocked`. */
const schemaOf = (type: string): string =>
  `${type.replace(/(?:^|\.)(\w)/g, (_, letter: string) => letter.toUpperCase())}Notice`;

const SENDER = { number: '+821012345678', source: null } as const;
const TEXTS = { ko: '차단된 번호입니다.', en: 'The number is blocked.' } as const;
const BLOCKED: data.SenderBlockedData = {
  ...SENDER,
  ...{ effect: 'block', code: 'SENDER_REPORTED', authority: 'kisa', list: 'live' },
  ...{ rule: 'loan@3', stage: 'provisional', until: AT },
};
const UNBLOCKED: data.SenderUnblockedData = { ...SENDER, isLifted: true };

/** One notice of each type, with every possible field. The compiler compares it with the types that are sent. */
const NOTICES = {
  'recipients.guidance': {
    ...{ number: null, source: 'PARCEL-KR', channel: 'sms', firstSeenAt: AT, lastSeenAt: AT },
    ...{ kind: 'loan', code: 'SENDER_REPORTED', reference: 'x', texts: TEXTS, respondBy: AT },
  } satisfies data.GuidanceData,
  'owner.used': {
    ...SENDER,
    ...{ day: '2026-11-27', textsOver: 500, senderCode: 'ABCD', texts: TEXTS },
  } satisfies data.OwnerUsedData,
  'owner.blocked': BLOCKED,
  'owner.unblocked': UNBLOCKED,
  'sender.reported': {
    ...{ ...SENDER, from: AT, to: AT },
    kinds: [
      { kind: 'loan', reports: 12 },
      { kind: 'phishing', fewerThan: 5 },
    ],
  } satisfies data.SenderReportedData,
  'sender.blocked': { ...BLOCKED, rule: null, stage: null, until: null, code: null },
  'sender.unblocked': { ...UNBLOCKED, isLifted: false },
  'registration.expiring': {
    ...{ registration: '17', number: '+82221230000..+82221230099', days: 30, endsAt: AT },
  } satisfies data.RegistrationExpiringData,
  'certificate.expiring': {
    ...{ certificate: 'x', issuer: 'kt', numbers: ['+821012345678'], registrations: ['17'] },
    ...{ days: 7, expiresAt: AT },
  } satisfies data.CertificateExpiringData,
  'qualification.changed': {
    ...{ organisation: 'acme', before: null, state: 'rateReduced', factor: 0.5 },
    ...{ validUntil: AT, nextInspectionBy: null },
  } satisfies data.QualificationChangedData,
  test: {},
} as const satisfies Record<NoticeType, object>;

const ENTRY: PartyEntry = {
  ...{ number: '+821012345678', source: null, subject: 'from', effect: 'block', code: 'SENDER_REPORTED' },
  ...{ authority: 'kisa', list: 'live', rule: 'loan@3', stage: 'confirmed', until: AT },
};

const CAMPAIGN: CampaignEntry = {
  ...{ subject: 'campaign', fingerprint: `${'A'.repeat(171)}=`, textKeyId: '0123456789abcdef' },
  ...{ authority: 'kisa', rule: 'loan-texts@1', stage: 'confirmed', firstSeen: AT, lastSeen: AT },
  ...{ reporters: 12, until: AT },
};
const HOST: HostEntry = {
  ...{ subject: 'host', host: 'phishing.example', list: 'kisa-hosts', effect: 'block', authority: 'kisa' },
};

describe('the AsyncAPI document', () => {
  it('is valid', async () => {
    const { document, diagnostics } = await fromFile(new Parser(), FILE.pathname).parse();
    expect(diagnostics.filter(({ severity }) => severity <= 1)).toEqual([]);
    expect(document!.version()).toBe('3.0.0');
    expect(document!.operations().length).toBe(3);
  });

  it('has every type of the feed and of notices', () => {
    const type = schemas.FeedEvent!.properties!.type as { 'x-extensible-enum': string[] };
    expect(type['x-extensible-enum']).toEqual(FEED_TYPES);
    const described = Object.values(schemas).flatMap(({ properties }) => {
      const { const: value } = (properties?.type ?? {}) as { const?: string };
      return value?.startsWith('kr.numgate.') === true ? [value] : [];
    });
    expect(described.toSorted()).toEqual(NOTICE_TYPES.map(wireTypeOf).toSorted());
  });

  it.each(NOTICE_TYPES)('describes %s', (type) => {
    const notice = {
      ...{ version: 3, type, at: Date.parse(AT), subject: 'x', data: JSON.stringify(NOTICES[type]) },
      ...{ isMock: true, respondBy: Date.parse(AT) },
    };
    const sent = JSON.parse(cloudEvent(notice, 'acme', 'https://numgate.example')) as object;
    check(schemaOf(type), sent);
    // Everything in the document is sent.
    expect(Object.keys(sent).toSorted()).toEqual(
      Object.keys(schemas[schemaOf(type)]!.properties!).toSorted(),
    );
    check(
      schemaOf(type),
      JSON.parse(cloudEvent({ ...notice, isMock: false, respondBy: null }, 'acme', null)),
    );
  });

  it('describes events of the feed, also those that remove an entry', () => {
    const event = { position: 7, epoch: 2, reference: 'r'.repeat(22), at: AT, digest: 'd'.repeat(43) };
    const lifted = { ...ENTRY, effect: 'allow', code: null, rule: null, stage: null, until: null } as const;
    const byPerson = { ...CAMPAIGN, rule: null, stage: null };
    const entries: readonly FeedEntry[] = [ENTRY, lifted, CAMPAIGN, byPerson, HOST];
    for (const [subject, entry] of [
      ...entries.map((each) => [each.subject, each] as const),
      ...(['from', 'to', 'campaign', 'host'] as const).map((each) => [each, null] as const),
    ]) {
      const plain = feedData({ ...event, entry }, subject, 'p'.repeat(43));
      check('FeedData', plain);
      for (const content of [plain, 'e30..aXY.dGV4dA.dGFn'])
        check('FeedBatch', [cloudEventOf(plain, '0123456789abcdef', event.digest, content)]);
    }
    for (const [name, entry] of [
      ['FeedEntry', ENTRY],
      ['CampaignEntry', CAMPAIGN],
      ['HostEntry', HOST],
    ] as const)
      expect(Object.keys(entry).toSorted()).toEqual(Object.keys(schemas[name]!.properties!).toSorted());
  });

  it('refuses what is not described', () => {
    const plain = feedData(
      { position: 1, epoch: 1, reference: 'r'.repeat(22), at: AT, digest: '', entry: ENTRY },
      'from',
      'p',
    );
    const sent = cloudEventOf(plain, '0123456789abcdef', 'd'.repeat(43), plain);
    const validate = ajv.getSchema('asyncapi#/components/schemas/FeedEvent') as ValidateFunction;
    for (const wrong of [
      { ...sent, id: '0123456789abcdef.1' },
      { ...sent, method: 'PUT' },
      { ...sent, reason: 'x' },
      { ...sent, data: { ...plain, entry: { ...ENTRY, subject: 'both' } } },
    ])
      expect(validate(wrong)).toBe(false);
  });
});

describe('a real service', () => {
  let service: TestService;
  let receiver: WebhookReceiver;
  const reason = 'a test';
  const WAIT = { timeout: HANG_MS, interval: 200 };

  beforeAll(async () => {
    service = await startTestService();
    receiver = await startReceiver();
    afterAll(() => receiver.stop());
    const { admin } = service;
    const organisation = {
      id: 'kt',
      displayName: 'KT',
      authority: 'kt',
      roles: ['operator'],
      webhookHosts: [receiver.host],
    };
    await admin.change('PUT', 'organisations/kt', { organisation, reason });
    const added = await admin.change<{ webhook: { id: string } }>('POST', 'organisations/kt/webhooks', {
      ...{ url: `http://${receiver.host}/hook`, reason },
    });
    await admin.change('POST', `organisations/kt/webhooks/${added.webhook.id}/test`, { reason });
    await admin.change('POST', 'entries', {
      ...{
        op: 'block',
        items: [{ number: '+821033445566' }],
        subjects: ['from'],
        reason,
      },
    });
  });

  it('serves the document', async () => {
    const response = await fetch(`${service.url}/asyncapi.json`);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await response.json()).toEqual(DOCUMENT);
  });

  it('sends events of the feed as described, encrypted and in clear', async () => {
    const clear = await addClient(
      service.admin,
      'clear',
      { rights: ['feed'], feed: { encryption: 'none' } },
      reason,
    );
    const sealed = await addClient(
      service.admin,
      'sealed',
      { rights: ['feed'], feed: { encryption: 'dir', keyId: null } },
      reason,
    );
    const { jwk } = await service.admin.change<{ jwk: JWK }>('POST', 'clients/sealed/feed-key', { reason });
    const pages = await vi.waitFor(async () => {
      const read = async (key: string): Promise<Record<string, unknown>[]> => {
        const headers = { authorization: `Bearer ${key}` };
        const response = await fetch(`${service.url}/v1/feed`, { headers });
        expect(response.status).toBe(200);
        return (await response.json()) as Record<string, unknown>[];
      };
      const both = [await read(clear.key), await read(sealed.key)] as const;
      expect(both.map(({ length }) => length > 0)).toEqual([true, true]);
      return both;
    }, WAIT);
    for (const page of pages) check('FeedBatch', page);
    const secret = Buffer.from(String((jwk as { k: string }).k), 'base64url');
    for (const [index, event] of pages[1].entries()) {
      const { plaintext } = await compactDecrypt(String(event.data), secret);
      const plain = JSON.parse(new TextDecoder().decode(plaintext)) as unknown;
      check('FeedData', plain);
      expect(plain).toEqual(pages[0][index]!.data);
    }
  });

  it('sends notices as described', async () => {
    const types = ['kr.numgate.test.v1', 'kr.numgate.owner.blocked.v1', 'kr.numgate.recipients.guidance.v1'];
    await vi.waitFor(async () => {
      const got = receiver.received.map(({ body }) => (JSON.parse(body) as { type: string }).type);
      expect(types.filter((type) => !got.includes(type))).toEqual([]);
    }, WAIT);
    for (const { headers, body } of receiver.received) {
      const notice = JSON.parse(body) as { type: string; id: string };
      check(schemaOf(notice.type.replace(/^kr\.numgate\.|\.v1$/g, '')), notice);
      const names = Object.keys(schemas.WebhookHeaders!.properties!);
      expect(names.filter((name) => headers[name] === undefined)).toEqual([]);
      expect([headers['webhook-id'], headers['content-type']]).toEqual([
        notice.id,
        'application/cloudevents+json; charset=utf-8',
      ]);
    }
  });
});
