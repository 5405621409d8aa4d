/**
 * The input lists of the conformance release, and the same lists as plain sets to compare the service with. Random numbers have
 * a fixed seed, so that a failure can be reproduced.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const SEED = 20261124;

/** A small seeded generator (mulberry32). @returns 0 <= value < 1 */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Numbers with a role in the tests. Their names show their lists. */
export const NUMBERS = {
  free: '+821055550000',
  suspended: '+821044440001',
  terminated: '+821044440002',
  /** Suspended, and cleared by an exact allow entry. */
  suspendedButAllowed: '+821044440003',
  /** Suspended, inside an allowed range. */
  suspendedInAllowedRange: '+821033330005',
  /** Inside a blocked range, cleared by an exact allow entry. */
  unallocatedButAllowed: '+821000100001',
  unallocated: '+821000100002',
  /** On two block lists, one of them by a range. */
  suspendedAndUnallocated: '+821000100003',
  suspendedUntil2099: '+821044440004',
  suspensionEnded: '+821044440006',
  suspensionNotBegun: '+821044440007',
  overseas: '+639171234567',
  overseasRange: '+6391812345678',
  reported: '+821044440008',
  shadowed: '+821044440009',
  suspendedAndShadowed: '+821044440010',
  /** A 050 number, which may not be a sender, that is also suspended. */
  suspendedPersonal: '+825012345678',
  /** Terminated. Without +82 and 0 its digits are also a number of Peru. */
  busan: '+825112345678',
  overseasChina: '+8613716965408',
  /** Both are registered for the client `registered`; the second one belongs to its organisation. */
  registered: '+8215880001',
  registeredOwn: '+8215880002',
  /** The first number is opted out by its owner and registered as own. The second one is opted out and not registered. */
  optedOutOwn: '+8215880003',
  optedOut: '+8215880004',
} as const;

export const SOURCES = { listed: 'KR-GOV-NOTICE', trunk: 'TRUNK/PH/0042', free: 'MYSHOP' } as const;

/** Sources and ingress fields, and how lists write them. */
export const INGRESS = {
  senderId: 'SPAM-KR',
  operator: { code: '51599', written: 'operator:515-99' },
  trunk: { name: 'BAD-1', written: 'trunk:BAD-1' },
  smsc: { globalTitle: '+639770000130', written: 'smsc:+63977*' },
  /** All of Cameroon. */
  country: { number: '+237650123456', written: 'callingCode:+237' },
  /** An allowed operator. */
  trustedOperator: { code: '51588', written: 'operator:515-88' },
  trustedSender: 'BIGBRAND',
} as const;

/** Random members of the two big lists, from 010-6xxx to 010-9xxx. None of them is one of the numbers above. */
function draw(count: number, random: () => number, taken: Set<string>): Set<string> {
  const drawn = new Set<string>();
  while (drawn.size < count) {
    const number = `+8210${6 + Math.floor(random() * 4)}${String(Math.floor(random() * 1e7)).padStart(7, '0')}`;
    if (!taken.has(number)) drawn.add(number);
    taken.add(number);
  }
  return drawn;
}

const random = randomFrom(SEED);
const taken = new Set<string>(Object.values(NUMBERS));

/** The lists as sets, for the numbers that are compared in bulk. */
export const MODEL = {
  suspended: draw(4_000, random, taken),
  terminated: draw(2_000, random, taken),
  /** The first and the last number of the unallocated range, as integers. */
  unallocated: { from: 821_000_000_000, to: 821_019_999_999 },
} as const;

const list = (name: string, reason: string, rest: object = {}): object => ({
  name,
  reason,
  authority: 'ktoa',
  ...rest,
});

const CATALOGUE = {
  lists: [
    list('kr-suspended', 'NUMBER_SUSPENDED'),
    list('kr-terminated', 'NUMBER_TERMINATED'),
    list('kr-unallocated', 'NUMBER_UNALLOCATED', { authority: 'kr-plan' }),
    list('overseas-numbers', 'OVERSEAS_NUMBER_LISTED', { subjects: ['from'], authority: 'kisa' }),
    list('overseas-ranges', 'OVERSEAS_RANGE_LISTED', { subjects: ['from'], authority: 'kisa' }),
    list('overseas-senders', 'OVERSEAS_SOURCE_LISTED', {
      subjects: ['from'],
      authority: 'kisa',
      sources: true,
    }),
    list('overseas-countries', 'OVERSEAS_RANGE_LISTED', { subjects: ['from'], authority: 'kisa' }),
    list('overseas-lanes', 'ALLOW_OVERRIDE', { subjects: ['from'], effect: 'allow', sources: true }),
    list('reported', 'SENDER_REPORTED', { subjects: ['from'], effect: 'label', authority: 'kisa' }),
    list('shadowed', 'SENDER_UNQUALIFIED', { effect: 'shadow', authority: 'kisa' }),
    list('opted-out', 'SENDER_IDENTITY_OPTOUT', { subjects: ['from'], authority: 'kisa' }),
    list('cleared', 'ALLOW_OVERRIDE', { effect: 'allow' }),
  ],
  inputs: [
    { file: 'suspended.csv', list: 'kr-suspended' },
    { file: 'terminated.txt', list: 'kr-terminated' },
    { file: 'unallocated.csv', list: 'kr-unallocated' },
    { file: 'overseas.txt', list: 'overseas-numbers' },
    { file: 'overseas-ranges.txt', list: 'overseas-ranges' },
    { file: 'senders.txt', list: 'overseas-senders' },
    { file: 'countries.txt', list: 'overseas-countries' },
    { file: 'lanes.txt', list: 'overseas-lanes' },
    { file: 'reported.txt', list: 'reported' },
    { file: 'shadowed.txt', list: 'shadowed' },
    { file: 'opted-out.txt', list: 'opted-out' },
    { file: 'cleared.txt', list: 'cleared' },
  ],
};

function lines(...rows: Iterable<string>[]): string {
  return rows.flatMap((part) => [...part].map((row) => `${row}\n`)).join('');
}

/** Writes a list that allows numbers that the other lists block. @returns path of the catalogue */
export function writeForgedInputs(folder: string): string {
  return writeCatalogue(
    folder,
    {
      lists: [list('forged', 'ALLOW_OVERRIDE', { effect: 'allow' })],
      inputs: [{ file: 'forged.txt', list: 'forged' }],
    },
    { 'forged.txt': lines([NUMBERS.suspended, NUMBERS.terminated]) },
  );
}

function writeCatalogue(folder: string, catalogue: object, files: Record<string, string>): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const path = join(folder, 'lists.json');
  writeFileSync(path, JSON.stringify(catalogue, null, 2));
  return path;
}

/** Writes the catalogue and its inputs. @returns path of the catalogue */
export function writeInputs(folder: string): string {
  const { suspended, terminated } = MODEL;
  const n = NUMBERS;
  const files: Record<string, string> = {
    'suspended.csv': lines(
      ['number,reason,since,until'],
      [...suspended, n.suspended, n.suspendedButAllowed, n.suspendedInAllowedRange].map((it) => `${it},,,`),
      [n.suspendedAndUnallocated, n.suspendedAndShadowed, n.suspendedPersonal].map((it) => `${it},,,`),
      [`${n.suspendedUntil2099},,2026-01-01,2099-01-01`, `${n.suspensionEnded},,2020-01-01,2021-01-01`],
      [`${n.suspensionNotBegun},,2098-01-01,2099-01-01`],
    ),
    'terminated.txt': lines(terminated, [n.terminated, n.busan]),
    'unallocated.csv': lines(['number'], ['+821000000000..+821019999999']),
    'overseas.txt': lines([n.overseas, n.overseasChina]),
    'overseas-ranges.txt': lines(['+63918*']),
    'senders.txt': lines(
      [SOURCES.listed, SOURCES.trunk, INGRESS.senderId],
      [INGRESS.operator, INGRESS.trunk, INGRESS.smsc].map(({ written }) => written),
    ),
    'countries.txt': lines([INGRESS.country.written]),
    'lanes.txt': lines([INGRESS.trustedOperator.written, INGRESS.trustedSender]),
    'reported.txt': lines([n.reported]),
    'shadowed.txt': lines([n.shadowed, n.suspendedAndShadowed]),
    'opted-out.txt': lines([n.optedOutOwn, n.optedOut]),
    'cleared.txt': lines([n.suspendedButAllowed, n.unallocatedButAllowed, '+821033330000..+821033339999']),
  };
  return writeCatalogue(folder, CATALOGUE, files);
}

/** Writes the registered senders of the release. @returns path of the file */
export function writeRegistrations(folder: string): string {
  const { registered, registeredOwn, optedOutOwn } = NUMBERS;
  const client = 'default/registered';
  const pairs = [
    { client, from: registered },
    { client, from: registeredOwn, own: true },
    { client, from: optedOutOwn, own: true },
  ];
  const path = join(folder, 'registrations.ndjson');
  writeFileSync(path, lines([{ version: 0 }, ...pairs].map((line) => JSON.stringify(line))));
  return path;
}
