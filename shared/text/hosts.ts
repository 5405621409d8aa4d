/**
 * Finds the hosts in a text: of links, of e-mail addresses, and bare ones, in every spelling that a phone could open. A bare
 * host may have an unknown ending (`ok.thanks`): such hosts are on no list, and no phone opens them yet. `evil[.]com`,
 * amounts, dates, and Korean words without a space after a full stop are not hosts.
 *
 * Linear in the length of the text: a run of labels is read once, and labels before and after it are bounded.
 */
import { HOST_CHARS_MAX, TEXT_ENDINGS_MAX, TEXT_HOSTS_MAX } from '../limits/text.ts';
import { endingOf, isCommonEnding, isOpened } from './host-names.ts';
import { NameReader, trimmedLength } from './host-runs.ts';
import { LINK } from './letter-units.ts';
import { isLatin, isNumeral, isSlash, unitAt } from './units.ts';

export interface FoundLinks {
  /** Hosts in canonical form: lower case, IDNA as `xn--`, no dot at the end. Each once, at most TEXT_HOSTS_MAX. */
  readonly hosts: readonly string[];
  /**
   * Hosts that a phone opens as links, in its most likely reading, and hosts that a URL shows before an `@`. Each once. An
   * empty text stands for links whose host is not read, such as an IPv6 address.
   */
  readonly opened: readonly string[];
  /** Whether a scheme, `www.`, a path, or a common ending shows that a link is meant. */
  readonly hasLink: boolean;
  /** Last labels of the hosts of these links: at most TEXT_ENDINGS_MAX. */
  readonly endings: readonly string[];
  /** The text with LINK in place of each of these links. */
  readonly rest: string;
}

/** A run of labels, and what is around it. */
interface Found {
  readonly hosts: readonly string[];
  readonly opened: readonly string[];
  /** Whether something shows that it is a link. If so, the link covers the text from `from` to `to`. */
  readonly isLink: boolean;
  readonly from: number;
  readonly to: number;
  /** Where to read on. */
  readonly next: number;
}

/** Stands for a host that is not read. */
const NOT_READ = '';
const LINK_MARK = String.fromCharCode(LINK);
const COLON = 0x3a;
const IDEOGRAPHIC_STOP = 0x3002;
const FULL_STOP = 0x2e;
/** `․`: the first of the dots that are not ASCII. The URL standard reads all of them as a full stop. */
const ONE_DOT_LEADER = 0x2024;
/** ª ² ³ µ · ¹ º */
const LATIN_1_LABELS = [0xaa, 0xb2, 0xb3, 0xb5, 0xb7, 0xb9, 0xba];
const AT = 0x40;
/** A label has at most 63 characters, which can be pairs of units: `𝐞𝐯𝐢𝐥`. */
const LABEL_UNITS_MAX = 2 * 63;
const SCHEME_CHARS_MAX = 12;
/** No valid host covers the whole of a longer run. */
const RUN_CHARS_MAX = 2 * HOST_CHARS_MAX;
/** Ends the authority of a URL, or is written around a URL. */
const AUTHORITY_END = /[\s/\\?#"<>]/g;
/** The host in the authority of a URL. It may have `%`, because browsers decode it. */
const URL_HOST = /^[^:[\]@"'(){},;!]+/;
const IPV6 = /^\[[0-9a-f:.]+\]/i;
/** A host may end in a dot. What URLs must encode (RFC 3986, 2) ends a path: phones find a new link after `"`, `>` or `|`. */
const PORT_AND_PATH = /(?:\.?:\d{1,5})?(?:\.?[/\\?#][!#-;=?-Z_a-z~]*)?/y;

/** @param text without hidden characters */
export function findLinks(text: string): FoundLinks {
  const hosts = new Set<string>();
  const opened = new Set<string>();
  const endings = new Set<string>();
  const names = new NameReader();
  const { length } = text;
  let rest = '';
  let [copied, start, hasLink] = [0, 0, false];
  for (let at = 0; at < length; ) {
    const code = text.charCodeAt(at);
    if (code !== COLON && code !== FULL_STOP && code < ONE_DOT_LEADER) {
      at++;
      continue;
    }
    const found =
      code === COLON
        ? urlAt(text, at, start, names)
        : isDot(code) && isLabel(unitAt(text, at + 1))
          ? bareAt(text, at, start, names)
          : null;
    if (found === null) {
      at++;
      continue;
    }
    for (const host of found.hosts)
      if (hosts.size < TEXT_HOSTS_MAX && host.length <= HOST_CHARS_MAX) hosts.add(host);
    for (const host of found.opened) if (opened.size < TEXT_HOSTS_MAX) opened.add(host);
    if (found.isLink) {
      hasLink = true;
      const [host] = found.hosts;
      if (host !== undefined && endings.size < TEXT_ENDINGS_MAX) endings.add(endingOf(host));
      rest += text.slice(copied, found.from) + LINK_MARK;
      copied = found.to;
    }
    at = Math.max(found.next, at + 1);
    start = at;
  }
  if (names.isExhausted) opened.add(NOT_READ);
  return {
    hosts: [...hosts],
    opened: [...opened],
    hasLink,
    endings: [...endings],
    rest: rest + text.slice(copied),
  };
}

/** Reads the URL around a colon. @param start first unit that may belong to the URL */
function urlAt(text: string, colon: number, start: number, names: NameReader): Found | null {
  let begin = colon + 1;
  while (isSlash(unitAt(text, begin))) begin++;
  if (begin < colon + 3) return null;
  let from = colon;
  while (from > start && from > colon - SCHEME_CHARS_MAX && isLatin(unitAt(text, from - 1))) from--;
  AUTHORITY_END.lastIndex = begin;
  const authority = text.slice(begin, AUTHORITY_END.exec(text)?.index ?? text.length);
  const user = authority.lastIndexOf('@') + 1;
  const written = authority.slice(user);
  const [host] = IPV6.exec(written) ?? URL_HOST.exec(written) ?? [];
  if (host === undefined) return null;
  const { hosts, likeliest, last } = names.ofUrl(host);
  // In `http://bank.example@evil.example/`, people see the first host, and the phone opens the second.
  const others = user > 0 ? names.inside(authority.slice(0, user - 1)) : [];
  const end = begin + user + last;
  const to = last >= trimmedLength(host) ? afterPath(text, end) : end;
  const opened = [...(hosts.length === 0 ? [NOT_READ] : likeliest), ...others];
  return { hosts: [...hosts, ...others], opened, isLink: true, from, to, next: to };
}

/** Reads the run of labels around a dot. */
function bareAt(text: string, dot: number, start: number, names: NameReader): Found | null {
  let from = dot;
  while (from > start && from > dot - LABEL_UNITS_MAX && isLabel(unitAt(text, from - 1))) from--;
  if (from === dot) return null;
  let to = runEnd(text, dot + 1, from + RUN_CHARS_MAX);
  if (to === from + RUN_CHARS_MAX) to = wholeRunEnd(text, dot, to);
  const none = { hosts: [], opened: [], isLink: false, from, to, next: to };
  if (isLocalPart(text, to, names)) return none;
  const run = text.slice(from, to);
  const afterRun = afterPath(text, to);
  const { hosts, likeliest, first, last } = names.ofRun(run, afterRun > to);
  if (hosts.length === 0) return none;
  const end = last === run.length ? afterRun : from + last;
  const isMail = unitAt(text, from - 1) === AT;
  const isLink =
    !isMail &&
    (end > from + last || run.slice(first, first + 4).toLowerCase() === 'www.' || isCommonEnding(hosts[0]!));
  const opened = isLink ? likeliest : likeliest.filter(isOpened);
  return { hosts, opened, isLink, from: from + first, to: end, next: Math.max(end, to) };
}

/** Ends a run that is too long after a letter that is not ASCII, so that no ASCII host is cut. */
function wholeRunEnd(text: string, dot: number, end: number): number {
  let to = end;
  while (to > dot + 1 && unitAt(text, to - 1) < 0x80) to--;
  return to > dot + 1 ? to : end;
}

/** The end of a run of labels and dots. @param most the latest possible end */
function runEnd(text: string, begin: number, most: number): number {
  for (let to = begin; to < most; to++) {
    const code = unitAt(text, to);
    if (!isLabel(code) && !(isDot(code) && isLabel(unitAt(text, to + 1)))) return to;
  }
  return most;
}

/** Whether a run that ends at `end` is the local part of an e-mail address: only if a host with a known ending follows. */
function isLocalPart(text: string, end: number, names: NameReader): boolean {
  if (unitAt(text, end) !== AT) return false;
  const host = text.slice(end + 1, runEnd(text, end + 1, end + 1 + RUN_CHARS_MAX));
  return isLabel(unitAt(host, 0)) && names.ofRun(host, false).likeliest.some(isOpened);
}

function afterPath(text: string, at: number): number {
  PORT_AND_PATH.lastIndex = at;
  return at + PORT_AND_PATH.exec(text)![0].length;
}

function isDot(code: number): boolean {
  return (
    code === FULL_STOP ||
    code === ONE_DOT_LEADER ||
    code === IDEOGRAPHIC_STOP ||
    code === 0xff0e ||
    code === 0xff61
  );
}

/** Whether a unit may be in a label. Outside ASCII, all but white space and punctuation: `evil².com` is `evil2.com`. */
function isLabel(code: number): boolean {
  if (code < 0x80) return isLatin(code) || isNumeral(code) || code === 0x2d || code === 0x5f;
  if (code < 0xc0) return LATIN_1_LABELS.includes(code);
  if (code < 0x3040)
    return code < 0x2000 || (code >= 0x2070 && code < 0x3000) || code === 0x3005 || code === 0x3007;
  if (code < 0xff00) return true;
  const isWide = (from: number, to: number): boolean =>
    code >= 0xff00 + from - 0x20 && code <= 0xff00 + to - 0x20;
  return (
    isWide(0x2d, 0x2d) ||
    isWide(0x30, 0x39) ||
    isWide(0x41, 0x5a) ||
    isWide(0x5f, 0x5f) ||
    isWide(0x61, 0x7a) ||
    (code >= 0xff66 && code < 0xffe0)
  );
}
