/**
 * Which hosts a list may have. A listed host includes its subdomains, so a public suffix (publicsuffix.org) would list the
 * sites of many owners, and a shortener the links of everybody who uses it. The edge has no list of suffixes: the build
 * refuses them.
 */
import { createRequire } from 'node:module';
import { HOST_CHARS_MAX, HOST_LABELS_MAX } from '../../shared/limits/text.ts';
import { canonical } from '../../shared/text/host-names.ts';
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

/** Hosts that include a shortener, longest first: for `s.example.com` also `example.com`. */
const ABOVE_SHORTENERS = new Map(
  [...SHORTENERS].flatMap((host) =>
    parentsOf(host)
      .slice(1)
      .map((parent): [string, string] => [parent, host]),
  ),
);

/** A host with or without scheme and slash: what names nothing but the host. */
const WHOLE_SITE = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^/?#\\@]+)\/?$/i;
/** What a host cannot have. */
const NO_HOST = /[\s/\\?#@%:]/;
const WILDCARD = /^\*\./;
const FORM = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$/;

const PUBLIC_SUFFIX = refuse('HOST_PUBLIC_SUFFIX', 'is a public suffix: names of many owners end with it');

/** @param written as a list has it: a host in any spelling, `*.host`, or a URL without path @param effect of the list */
export function checkHost(written: string, effect: Effect): CheckedHost {
  const bare = (WHOLE_SITE.exec(written)?.[1] ?? written).replace(WILDCARD, '');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(bare) || /^[^\s/]+\/./.test(bare))
    return refuse(
      'HOST_HAS_PATH',
      'has a path: a list blocks whole hosts; list the host if all of it is meant',
    );
  const { parse } = load('tldts') as typeof import('tldts');
  const options = { allowPrivateDomains: true };
  if (!bare.includes('.') && parse(bare, options).isIcann === true) return PUBLIC_SUFFIX;
  const host = NO_HOST.test(bare) ? null : canonical(bare);
  if (host === null || host.length > HOST_CHARS_MAX || !FORM.test(host))
    return refuse('HOST_INVALID', 'is not a host such as shop.example.com');
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
        `${shortener === host ? 'shortens' : `includes ${shortener}, which shortens`} links of everybody: a list with the effect "${effect}" would decide for all of them`,
      );
  }
  return { ok: true, host };
}

/** Whether a list with this effect can block, or excuse what would be blocked. */
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
