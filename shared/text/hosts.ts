/**
 * Finds the hosts in a text: of links, of e-mail addresses, and bare ones. Every spelling counts that a phone could open,
 * so a text can have hosts that were not meant as links, such as `ok.thanks`: nobody lists those. What no phone opens is no
 * host: `evil[.]com`, amounts, dates, and words without a space after a full stop, since no host ends in such a word.
 *
 * Linear in the length of the text: a run of labels is read once, and labels before and after it are bounded.
 */
import { HOST_CHARS_MAX, IDN_HOSTS_MAX, TEXT_ENDINGS_MAX, TEXT_HOSTS_MAX } from '../limits/text.ts';
import { asciiHostIn, canonical, endingOf, idnHostIn, isAddress, isCommonEnding } from './host-names.ts';
import { LINK } from './letter-units.ts';
import { isLatin, isNumeral, isSlash, unitAt } from './units.ts';

export interface FoundLinks {
  /** Hosts in canonical form: lower case, IDNA as `xn--`, no dot at the end. Each once, at most TEXT_HOSTS_MAX. */
  readonly hosts: readonly string[];
  /** Whether a scheme, `www.`, a path, or a common ending shows that a link is meant. */
  readonly hasLink: boolean;
  /** Last labels of the hosts of such links: at most TEXT_ENDINGS_MAX. */
  readonly endings: readonly string[];
  /** The text with LINK in place of each such link. */
  readonly rest: string;
}

/** A run of labels, and what is around it. */
interface Found {
  readonly hosts: readonly string[];
  /** Whether it is shown to be a link; then it covers the text between these. */
  readonly isLink: boolean;
  readonly from: number;
  readonly to: number;
  /** Where to read on. */
  readonly next: number;
}

const LINK_MARK = String.fromCharCode(LINK);
const COLON = 0x3a;
/** The first of the dots that are not ASCII. */
const IDEOGRAPHIC_STOP = 0x3002;
const FULL_STOP = 0x2e;
const AT = 0x40;
/** A label has at most 63 characters. */
const LABEL_CHARS_MAX = 63;
const SCHEME_CHARS_MAX = 12;
/** Longer runs have no valid host that reaches over their whole length. */
const RUN_CHARS_MAX = 2 * HOST_CHARS_MAX;
/** With three characters for each that is written as a percent code. */
const URL_HOST_CHARS_MAX = 3 * HOST_CHARS_MAX;
/** Ends the authority of a URL, or what people write around one. */
const AUTHORITY_END = /[\s/\\?#"<>]/g;
/** Host, in the authority of a URL: with `%`, since browsers decode it. */
const URL_HOST = /^[^:[\]@"'(){},;!]+/;
const IPV6 = /^\[[0-9a-f:.]+\]/i;
const MAIL_HOST = /@[\p{L}\p{N}_-]{1,63}[.\u3002\uff0e\uff61][\p{L}\p{N}]/uy;
/** A host may end in a dot. */
const PORT_AND_PATH = /(?:\.?:\d{1,5})?(?:\.?[/\\?#][\x21-\x7e]*)?/y;
/**
 * Labels in ASCII within a longer run. What is before them is none of their own letters: Korean, Chinese and Japanese words
 * need no space before a host. A letter of any other script belongs to it: `bücher.example` is not `cher.example`.
 */
const ASCII_PART =
  /(?<![a-z0-9_-])(?<!(?![\p{Script=Hangul}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}])[\p{L}\p{M}])[a-z0-9_-]+(?:\.[a-z0-9_-]+)+/gu;

/** @param text without hidden characters */
export function findLinks(text: string): FoundLinks {
  const hosts = new Set<string>();
  const endings = new Set<string>();
  const names = new NameReader();
  const { length } = text;
  let rest = '';
  let [copied, start, hasLink] = [0, 0, false];
  for (let at = 0; at < length; ) {
    const code = text.charCodeAt(at);
    if (code !== COLON && code !== FULL_STOP && code < IDEOGRAPHIC_STOP) {
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
  return { hosts: [...hosts], hasLink, endings: [...endings], rest: rest + text.slice(copied) };
}

/** What follows `scheme://`. @param start of what may belong to it */
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
  const { hosts, last } = names.ofUrl(host);
  // `http://bank.example@evil.example/`: whoever reads it sees the first, the phone opens the second.
  const others = user > 0 ? names.inside(authority.slice(0, user - 1)) : [];
  const end = begin + user + last;
  const to = last >= trimmedLength(host) ? afterPath(text, end) : end;
  return { hosts: [...hosts, ...others], isLink: true, from, to, next: to };
}

/** A run of labels around a dot. */
function bareAt(text: string, dot: number, start: number, names: NameReader): Found | null {
  let from = dot;
  while (from > start && from > dot - LABEL_CHARS_MAX && isLabel(unitAt(text, from - 1))) from--;
  if (from === dot) return null;
  let to = dot + 1;
  while (to < from + RUN_CHARS_MAX) {
    const code = unitAt(text, to);
    if (isLabel(code) || (isDot(code) && isLabel(unitAt(text, to + 1)))) to++;
    else break;
  }
  if (to === from + RUN_CHARS_MAX) to = wholeRunEnd(text, dot, to);
  const none = { hosts: [], isLink: false, from, to, next: to };
  if (isLocalPart(text, to)) return none;
  const run = text.slice(from, to);
  const { hosts, first, last } = names.ofRun(run);
  if (hosts.length === 0) return none;
  const end = last === run.length ? afterPath(text, to) : from + last;
  const isMail = unitAt(text, from - 1) === AT;
  const isLink =
    !isMail &&
    (end > from + last || run.slice(first, first + 4).toLowerCase() === 'www.' || isCommonEnding(hosts[0]!));
  return { hosts, isLink, from: from + first, to: end, next: Math.max(end, to) };
}

/** A run that is too long ends behind a letter that is not ASCII, so that no host in ASCII is cut. */
function wholeRunEnd(text: string, dot: number, end: number): number {
  let to = end;
  while (to > dot + 1 && unitAt(text, to - 1) < 0x80) to--;
  return to > dot + 1 ? to : end;
}

/** Whether a run that ends there is the part of an e-mail address before the `@`: only if a host follows. */
function isLocalPart(text: string, end: number): boolean {
  MAIL_HOST.lastIndex = end;
  return unitAt(text, end) === AT && MAIL_HOST.test(text);
}

function afterPath(text: string, at: number): number {
  PORT_AND_PATH.lastIndex = at;
  return at + PORT_AND_PATH.exec(text)![0].length;
}

/** What a run of labels can mean. */
interface Names {
  /** The likeliest first. */
  readonly hosts: string[];
  /** The part of the run that the first one covers. */
  readonly first: number;
  readonly last: number;
}

const NO_NAMES: Names = { hosts: [], first: 0, last: 0 };

/** Reads the hosts of runs of one text. */
class NameReader {
  /** How many names may still be read as IDNA. */
  #idn = IDN_HOSTS_MAX;

  ofRun(run: string): Names {
    if (isAscii(run)) return ofAscii(run, 0);
    const normalized = run
      .replace(/[\u3002\uff61]/g, '.')
      .normalize('NFKC')
      .toLowerCase();
    // The likeliest is a part in ASCII, as in `바로가기evil.example`.
    const parts = asciiPartsOf(normalized);
    const cut = idnHostIn(normalized);
    const whole = cut === null ? null : this.#canonical(cut.name);
    const hosts = parts.flatMap((part) => part.hosts);
    if (whole !== null) hosts.push(whole);
    const [covered = cut] = parts;
    if (hosts.length === 0 || covered === null) return NO_NAMES;
    // If NFKC changes the length, the whole run counts as the host.
    const isSame = normalized.length === run.length;
    return { hosts, first: isSame ? covered.first : 0, last: isSame ? covered.last : run.length };
  }

  /** The host of a URL, also in a form that only URLs have. */
  ofUrl(written: string): Names {
    const all = { first: 0, last: written.length };
    if (written.startsWith('[') || written.length > URL_HOST_CHARS_MAX) return { hosts: [], ...all };
    // Numbers (`3232235777`, `0x7f.1`) and percent codes: what a browser makes of them.
    const isCoded = written.includes('%');
    if (isCoded || /^[\da-fx.]+$/i.test(written)) {
      const host = this.#canonical(written);
      if (host !== null) return { hosts: [host], ...all };
      if (isCoded) return { hosts: [], ...all };
    }
    const names = this.ofRun(written.slice(0, trimmedLength(written)));
    return names.hosts.length === 0 ? { hosts: [], ...all } : { ...names, first: 0 };
  }

  /** Hosts anywhere in what is written before an `@`. */
  inside(written: string): string[] {
    const runs = written.split(/[^\p{L}\p{N}\p{M}_.-]+/u);
    return runs.flatMap((run) => (run.includes('.') ? this.ofRun(run).hosts : []));
  }

  #canonical(host: string): string | null {
    if (this.#idn === 0) return null;
    this.#idn--;
    return canonical(host);
  }
}

/** Hosts of the parts in ASCII of a longer run. */
function asciiPartsOf(run: string): Names[] {
  const parts = Array.from(run.matchAll(ASCII_PART), ({ 0: part, index }) => ofAscii(part, index));
  return parts.filter(({ hosts }) => hosts.length > 0);
}

function ofAscii(part: string, index: number): Names {
  if (isAddress(part)) return { hosts: [part], first: index, last: index + part.length };
  const cut = asciiHostIn(part);
  return cut === null ? NO_NAMES : { hosts: [cut.name], first: index + cut.first, last: index + cut.last };
}

/** Without dots at the end. */
function trimmedLength(name: string): number {
  let length = name.length;
  while (length > 0 && name.charCodeAt(length - 1) === FULL_STOP) length--;
  return length;
}

function isDot(code: number): boolean {
  return code === FULL_STOP || code === IDEOGRAPHIC_STOP || code === 0xff0e || code === 0xff61;
}

function isAscii(run: string): boolean {
  for (let at = 0; at < run.length; at++) if (run.charCodeAt(at) >= 0x80) return false;
  return true;
}

/** Whether a unit may be in a label: all but ASCII, white space and punctuation of other scripts. */
function isLabel(code: number): boolean {
  if (code < 0x80) return isLatin(code) || isNumeral(code) || code === 0x2d || code === 0x5f;
  if (code < 0xc0) return code === 0xaa || code === 0xb5 || code === 0xba || code === 0xb7;
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
