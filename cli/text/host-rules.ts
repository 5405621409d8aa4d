/**
 * Decides which hosts a list may have. A listed host includes its subdomains, so a public suffix (publicsuffix.org) would list
 * the sites of many owners, and a shortener the links of all its users. The edge has no list of suffixes, so the build refuses
 * these hosts.
 */
import { createRequire } from 'node:module';
import { HOST_CHARS_MAX, HOST_LABELS_MAX } from '../../shared/limits/text.ts';
import { canonical, isAddress } from '../../shared/text/host-names.ts';
import { parentsOf } from '../../shared/text/host-table.ts';
import { SHORTENERS } from '../../shared/text/shorteners.ts';
import type { Effect } from '../../shared/verdict.ts';
import { isAboveSuffixes } from './suffix-parents.ts';

/** Loads the library, which holds the list of suffixes, only for a build. */
const load = createRequire(import.meta.url);

/** Why a line of a host list is refused. Stable names, for the file of rejects. */
export type HostProblem =
  | 'HOST_INVALID'
  | 'HOST_HAS_PATH'
  | 'HOST_PUBLIC_SUFFIX'
  | 'HOST_SHARED_SUFFIX'
  | 'HOST_SHORTENER';

export type CheckedHost =
  | { readonly ok: true; readonly host: string }
  | { readonly ok: false; readonly code: HostProblem; readonly message: string };

/** Hosts above a shortener, with the shortener. For `s.example.com`, this includes `example.com`. */
const ABOVE_SHORTENERS = new Map(
  [...SHORTENERS].flatMap((host) =>
    parentsOf(host)
      .slice(1)
      .map((parent): [string, string] => [parent, host]),
  ),
);

/** A host with or without scheme, and what follows it. */
const PARTS = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^/?#\\]+)(.*)$/is;
/** Characters that a host cannot have. */
const NO_HOST = /[\s/\\?#@%:]/;
const WILDCARD = /^\*\./;
const FORM = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$/;
const HYPHEN_AT_END = /(?:^|\.)-|-(?:\.|$)/;
const TOP_LEVEL = /\.(?:xn--[a-z0-9-]*[a-z0-9]|[a-z]{2,63})$/;
/** Matches a host whose last label browsers read as a part of an IPv4 address. */
const NUMBER_AT_END = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/i;
/** Dots in any script, as IDNA reads them. */
const DOTS = /[.\u3002\uff0e\uff61]/;
const ADDRESS_PARTS = 4;

const PUBLIC_SUFFIX = refuse('HOST_PUBLIC_SUFFIX', 'is a public suffix: names of many owners end with it');

/** @param written entry of a list: a host in any spelling, `*.host`, or a URL without path @param effect of the list */
export function checkHost(written: string, effect: Effect): CheckedHost {
  const [, site = written, rest = ''] = PARTS.exec(written) ?? [];
  if (rest !== '' && rest !== '/') return hasPath(rest);
  const bare = site.replace(WILDCARD, '');
  const { parse } = load('tldts') as typeof import('tldts');
  const options = { allowPrivateDomains: true };
  if (!bare.includes('.') && parse(bare, options).isIcann === true) return PUBLIC_SUFFIX;
  const host = NO_HOST.test(bare) ? null : canonical(bare);
  if (host === null || host.length > HOST_CHARS_MAX || !FORM.test(host))
    return refuse('HOST_INVALID', whyNoHost(bare));
  const malformed = whyMalformed(host, bare);
  if (malformed !== null) return refuse('HOST_INVALID', malformed);
  if (host.split('.').length > HOST_LABELS_MAX)
    return refuse('HOST_INVALID', `has more than ${HOST_LABELS_MAX} labels: list the host above it`);
  const { publicSuffix, isPrivate, isIp } = parse(host, options);
  if (isIp !== true && publicSuffix === host) {
    if (isPrivate !== true) return PUBLIC_SUFFIX;
    if (isStrong(effect))
      return refuse(
        'HOST_SHARED_SUFFIX',
        `is a public suffix of a provider: a list with the effect "${effect}" would decide for all its customers`,
      );
  }
  if (isIp !== true && isStrong(effect) && isAboveSuffixes(host))
    return refuse(
      'HOST_SHARED_SUFFIX',
      `includes public suffixes: a list with the effect "${effect}" would decide for names of many owners`,
    );
  if (isStrong(effect)) {
    const shortener = shortenerOf(host);
    if (shortener !== null)
      return refuse(
        'HOST_SHORTENER',
        `${shortener === host ? 'shortens' : `includes ${shortener}, which shortens`} links for everybody: a list with the effect "${effect}" would decide for all of them`,
      );
  }
  return { ok: true, host };
}

function hasPath(rest: string): CheckedHost {
  const what = rest.startsWith('?') ? 'query' : rest.startsWith('#') ? 'fragment' : 'path';
  return refuse(
    'HOST_HAS_PATH',
    `has a ${what}, but a list decides about whole hosts: list the host if you mean all of it`,
  );
}

function whyNoHost(bare: string): string {
  if (bare.includes('@')) return 'has an @: list only the host after it';
  if (/^[^:]+:\d+$/.test(bare)) return 'has a port: list the host without it';
  if (NUMBER_AT_END.test(bare))
    return 'ends with a number: check the name, or write all four parts of an address';
  return 'is not a host such as shop.example.com';
}

/** Why a name that is valid in a URL may not be listed; null if it may. */
function whyMalformed(host: string, bare: string): string | null {
  if (isAddress(host)) {
    // Browsers read 4711 and 0x10 as addresses, too. In a list, they are mistakes.
    const parts = bare.split(DOTS).filter((part) => part !== '').length;
    return parts === ADDRESS_PARTS
      ? null
      : `is a number, which browsers read as ${host}: write all four parts of the address, or remove the line`;
  }
  if (HYPHEN_AT_END.test(host)) return 'has a label that begins or ends with a hyphen: check the name';
  if (!TOP_LEVEL.test(host)) return 'does not end with a top-level name such as "com": check the name';
  return null;
}

/** Whether a list with this effect can block, or allow what would be blocked. */
function isStrong(effect: Effect): boolean {
  return effect === 'block' || effect === 'allow';
}

/** The shortener that a list with this host would include, or null. */
function shortenerOf(host: string): string | null {
  const plain = host.replace(/^www\./, '');
  return SHORTENERS.has(plain) ? host : (ABOVE_SHORTENERS.get(host) ?? null);
}

function refuse(code: HostProblem, message: string): CheckedHost {
  return { ok: false, code, message };
}
