/**
 * Sources as written, folded and listed. Kinds never mix, and look-alike letters neither evade a block list
 * nor match an allow list.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldSenderId, skeletonOf as skeletonOfSpelling } from '../../../shared/sources/sender-id.ts';
import {
  fingerprintsOf,
  formatSource,
  formFor,
  operatorOf,
  parseSource,
  SOURCE_KINDS,
  type Source,
  smscSources,
} from '../../../shared/sources/source.ts';
import { anyCharacter, holds } from '../support/properties.ts';
import { testKeys } from '../support/test-keys.ts';

const SEED = testKeys.sourceSeed;

function skeletonOf(text: string): string {
  return skeletonOfSpelling(foldSenderId(text));
}

function read(written: string): Source {
  const parsed = parseSource(written);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.value;
}

describe('a written source', () => {
  it.each([
    ['PARCEL-KR', { kind: 'senderId', name: 'PARCEL-KR' }],
    [' sender: operator:51502 ', { kind: 'senderId', name: 'operator:51502' }],
    ['operator:51502', { kind: 'operator', name: '51502' }],
    ['Operator: 515-02', { kind: 'operator', name: '51502' }],
    ['operator:310 260', { kind: 'operator', name: '310260' }],
    ['trunk:MNL-2', { kind: 'trunk', name: 'MNL-2' }],
    ['trunk:7', { kind: 'trunk', name: '7' }],
    ['sender:ALERT: KR', { kind: 'senderId', name: 'ALERT: KR' }],
    ['smsc:+639170000130', { kind: 'smsc', name: '639170000130' }],
    ['smsc: 63 917*', { kind: 'smsc', name: '63917*' }],
    ['smsc:+1684*', { kind: 'smsc', name: '1684*' }],
  ])('%j is %j', (written, source) => {
    expect(read(written)).toEqual(source);
    expect(read(formatSource(read(written)))).toEqual(read(written));
  });

  it.each([
    ['callingCode:+237', 'a whole country'],
    ['opertor:515-02', 'does not begin with a kind of source'],
    ['mccmnc:51502', 'does not begin with a kind of source'],
    ['operator:5150', 'MCC and MNC'],
    ['operator:11502', 'MCC and MNC'],
    ['operator:5150212', 'MCC and MNC'],
    ['operator:SMART', 'MCC and MNC'],
    ['trunk: ', 'names no trunk'],
    ['smsc:+63*', 'whole country'],
    ['smsc:+999123456', 'not a global title'],
    ['smsc:ACME', 'not a global title'],
    ['smsc:+63917*5', 'not a global title'],
    ['smsc:+4407700900123', 'a 0 after the country code'],
    ['smsc:+8201*', 'a 0 after the country code'],
    ['12345', 'have letters'],
    ['sender:12345', 'have letters'],
    ['\u200b', 'have letters'],
    ['A'.repeat(65), 'must have at most 64'],
    ['010-6000-000A', 'write only the number'],
    ['+82 1O', 'write only the number'],
  ])('%j is rejected: %s', (written, why) => {
    expect(parseSource(written)).toMatchObject({ ok: false, message: expect.stringContaining(why) });
  });

  it('has a fingerprint that depends on its kind, so that no sender ID equals another source', () => {
    const names = ['51502', 'operator:51502', '\u0001operator\u000151502', 'mnl-2'];
    const prints = SOURCE_KINDS.flatMap((kind) =>
      names.map((name) => fingerprintsOf({ kind, name }, SEED).spelling),
    );
    // Sender IDs drop control characters, but all of these fingerprints still differ.
    expect(new Set(prints).size).toBe(prints.length);
  });

  it('lists an SMSC by its whole global title and by each prefix', () => {
    const sources = smscSources(639_170_000_130).map(({ name }) => name);
    expect(sources).toEqual([
      ...['639170000130', '63*', '639*', '6391*', '63917*', '639170*', '6391700*', '63917000*'],
      ...['639170000*', '6391700001*', '63917000013*', '639170000130*'],
    ]);
  });

  it('reads operators', () => {
    expect(['51502', '515-02', '515 02', '310260', '450-05', '901-28'].map(operatorOf)).toEqual([
      ...['51502', '51502', '51502', '310260', '45005', '90128'],
    ]);
    expect(['', '515', '5150', '515--02', '1234567', '015-02', '５１５０２'].map(operatorOf)).toEqual(
      Array(7).fill(null),
    );
  });
});

describe('look-alike letters', () => {
  it.each([
    ['КAKAO', 'kakao'],
    ['ΚΑΚΑΟ', 'kakao'],
    ['раyраl', 'paypal'],
    ['ΙNFO', 'info'],
    ['Ｋ Ａ-Ｋ', 'ka-k'],
    ['국제발신', '국제발신'],
    ['ΔΦΨ', 'δφψ'],
    ['Γ γ', 'yy'],
    ['ВТБ', 'btб'],
    ['втб', 'btб'],
    ['СберБанк', 'cбepбahk'],
    ['ΝΑVER', 'naver'],
    ['ναver', 'naver'],
    ['Café', 'café'],
  ])('%j has the skeleton %j', (written, skeleton) => {
    expect(skeletonOf(written)).toBe(skeleton);
  });

  it('do not include Latin letters and digits: O and 0, l, 1 and I stay different', () => {
    const texts = ['GOOGLE', 'G00GLE', 'PAYPAL', 'PAYPA1', 'PAYPAI', 'RN', 'M'];
    expect(new Set(texts.map(skeletonOf)).size).toBe(texts.length);
  });

  it('neither evade a block list nor match an allow list', () => {
    const listed = fingerprintsOf({ kind: 'senderId', name: 'KAKAO' }, SEED);
    const spoof = fingerprintsOf({ kind: 'senderId', name: 'КАКАО' }, SEED);
    for (const effect of ['block', 'label', 'shadow'] as const) {
      expect(formFor(spoof, effect)).toBe(formFor(listed, effect));
    }
    expect(formFor(spoof, 'allow')).not.toBe(formFor(listed, 'allow'));
    // A name that is written in another script can be trusted, too.
    const own = fingerprintsOf({ kind: 'senderId', name: ' тасс' }, SEED);
    expect(formFor(own, 'allow')).toBe(
      formFor(fingerprintsOf({ kind: 'senderId', name: 'ТАСС' }, SEED), 'allow'),
    );
  });

  it.each(['\uFE0F', '\u034F', '\u3164', '\u115F', '\u2800', '\u200b', '\u00ad'])(
    'are removed if invisible: %j does not evade a list',
    (unseen) => {
      const listed = fingerprintsOf({ kind: 'senderId', name: 'PARCEL-KR' }, SEED);
      expect(fingerprintsOf({ kind: 'senderId', name: `PAR${unseen}CEL\u2212KR` }, SEED)).toEqual(listed);
      expect(fingerprintsOf({ kind: 'senderId', name: `PARCEL\u2043KR${unseen}` }, SEED)).toEqual(listed);
    },
  );

  it('are the same in either case', () => {
    holds(
      fc.property(fc.string({ unit: fc.constantFrom(...'ВТБвтбΝνΥυΓγКкaAzZ가1'), maxLength: 12 }), (text) => {
        expect(skeletonOf(text.toLowerCase())).toBe(skeletonOf(text));
      }),
    );
  });

  it('change nothing in ASCII, and the skeleton of a skeleton is itself', () => {
    holds(
      fc.property(fc.string({ unit: anyCharacter, maxLength: 20 }), (text) => {
        expect(skeletonOf(skeletonOf(text))).toBe(skeletonOf(text));
      }),
      { numRuns: 2_000 },
    );
    holds(
      fc.property(fc.string({ maxLength: 20 }), (text) => {
        expect(skeletonOf(text)).toBe(foldSenderId(text));
      }),
    );
  });
});
