/**
 * Texts that operators can send to people, in Korean and English. A text contains no link and no phone number, because a
 * warning of fraud must not look like fraud. Operators get the sender from the notice, and show it beside the text.
 */
import type { SpamKind } from '../reports/report.ts';
import type { Channel } from '../request.ts';

export interface GuidanceTexts {
  readonly ko: string;
  readonly en: string;
}

type Phrase = readonly [ko: string, en: string];
const NOTHING: Phrase = ['', ''];

/** Topics, as in "a text about …". */
const KINDS: Readonly<Record<Exclude<SpamKind, 'notSpam' | 'other'>, Phrase>> = {
  gambling: ['불법 도박', 'illegal gambling'],
  finance: ['투자 유도', 'investments'],
  loan: ['불법 대출', 'illegal loans'],
  adult: ['성인물', 'adult content'],
  driver: ['대리운전', 'driver services'],
  telecom: ['통신 가입', 'telecom contracts'],
  medicine: ['의약품', 'medicines'],
  phishing: ['사기(피싱)', 'fraud (phishing)'],
};

/** Advice for one kind, which follows the general advice. */
const ADVICE: Readonly<Partial<Record<SpamKind, Phrase>>> = {
  finance: [
    '수익을 보장하며 입금을 요구하면 사기일 수 있습니다.',
    'An offer that promises profit and asks for a payment may be fraud.',
  ],
  loan: [
    '대출을 이유로 선입금을 요구하면 응하지 마시기 바랍니다.',
    'Do not make an advance payment for a loan.',
  ],
  phishing: [
    '이미 개인정보를 알려 주었거나 송금했다면 즉시 경찰과 거래 은행에 신고하시기 바랍니다.',
    'If you gave personal data or sent money, report it to the police and your bank at once.',
  ],
};

/** @param channel null if unknown @param kind null if nobody has reported the sender */
export function guidanceTexts(channel: Channel | null, kind: SpamKind | null): GuidanceTexts {
  const [kindKo, kindEn] = kind !== null && hasPhrase(kind) ? KINDS[kind] : NOTHING;
  const [advice, adviceEn] = (kind === null ? undefined : ADVICE[kind]) ?? NOTHING;
  const topic = kindKo === '' ? '' : `${kindKo} 관련 `;
  const topicEn = kindEn === '' ? '' : ` about ${kindEn}`;
  if (channel === 'voice') {
    return {
      ko: joined(
        `최근 고객님께 ${topic}전화를 건 발신자가 불법 스팸 신고로 차단되었습니다.`,
        '다시 전화하거나 개인정보를 알려 주지 마시기 바랍니다.',
        advice,
      ),
      en: joined(
        `A caller who recently called you${topicEn} was blocked after reports of illegal spam.`,
        'Do not call back, and do not share personal data.',
        adviceEn,
      ),
    };
  }
  return {
    ko: joined(
      `최근 고객님께 ${topic}문자를 보낸 발신자가 불법 스팸 신고로 차단되었습니다.`,
      '문자에 있는 주소를 누르거나 전화하지 마시고, 개인정보를 알려 주지 마시기 바랍니다.',
      advice,
    ),
    en: joined(
      `The sender of a text${topicEn} that you recently received was blocked after reports of illegal spam.`,
      'Do not open addresses in the text, do not call, and do not share personal data.',
      adviceEn,
    ),
  };
}

/**
 * Returns texts for the owner of a mobile number.
 * @param textsOver the exceeded limit @param day in Korea, such as `2026-11-27`; may be over when the text is read
 */
export function ownerUsedTexts(textsOver: number, day: string): GuidanceTexts {
  const many = textsOver.toLocaleString('en');
  const date = new Date(day);
  const dayEn = date.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', timeZone: 'UTC' });
  return {
    ko: joined(
      `${date.getUTCMonth() + 1}월 ${date.getUTCDate()}일에 고객님의 휴대전화 번호를 발신번호로 한 대량 문자가 ${many}건 넘게 발송되었습니다.`,
      '직접 보내신 것이 아니라면 번호가 도용되었을 수 있으니, 고객센터에 문의하시기 바랍니다.',
    ),
    en: joined(
      `On ${dayEn}, more than ${many} bulk texts were sent with your mobile number as their sender.`,
      'If you did not send them, somebody may be misusing your number: contact our customer service.',
    ),
  };
}

function hasPhrase(kind: SpamKind): kind is keyof typeof KINDS {
  return kind in KINDS;
}

function joined(...sentences: readonly string[]): string {
  return sentences.filter((sentence) => sentence !== '').join(' ');
}
