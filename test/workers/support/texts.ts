/**
 * Real texts of the UCI SMS Spam Collection (data/text), no two of which are similar, and their fingerprints with the TEXT_KEY
 * of the test Worker.
 */
import { env } from 'cloudflare:workers';
import { type Fingerprint, type FingerprintKey, fingerprintOf } from '../../../shared/text/fingerprint.ts';
import { readText } from '../../../shared/text/text.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import type { TextFingerprint } from '../../../workers/storage/reports-port.ts';
import type { StoreResult } from '../../../workers/storage/store-request.ts';
import { TEXT_NAME } from '../../../workers/storage/text-port.ts';
import { textKeyOf } from '../../../workers/storage/text-secrets.ts';
import type { TextStore } from '../../../workers/text/text-store.ts';

export const SPAM: readonly string[] = [
  'FreeMsg: Fancy a flirt? Reply DATE now & join the UKs fastest growing mobile dating service. Msgs rcvd just 25p to optout txt stop to 83021. Reply DATE now!',
  'We have new local dates in your area - Lots of new people registered in YOUR AREA. Reply DATE to start now! 18 only www.flirtparty.us REPLYS150',
  'Someone U know has asked our dating service 2 contact you! Cant Guess who? CALL 09058097189 NOW all will be revealed. POBox 6, LS15HB 150p ',
  'Had your mobile 11mths ? Update for FREE to Oranges latest colour camera mobiles & unlimited weekend calls. Call Mobile Upd8 on freefone 08000839402 or 2StopTxt',
  'Call Germany for only 1 pence per minute! Call from a fixed line via access number 0844 861 85 85. No prepayment. Direct access!',
  'FREE MESSAGE Activate your 500 FREE Text Messages by replying to this message with the word FREE For terms & conditions, visit www.07781482378.com',
  'Do you want a New Nokia 3510i Colour Phone Delivered Tomorrow? With 200 FREE minutes to any mobile + 100 FREE text + FREE camcorder Reply or Call 8000930705',
  'PRIVATE! Your 2003 Account Statement for shows 800 un-redeemed S. I. M. points. Call 08715203694 Identifier Code: 40533 Expires 31/10/04',
  'Santa calling! Would your little ones like a call from Santa Xmas Eve? Call 09077818151 to book you time. Calls1.50ppm last 3mins 30s T&C www.santacalling.com',
  'Thanks for your Ringtone Order, Reference T91. You will be charged GBP 4 per week. You can unsubscribe at anytime by calling customer services on 09057039994',
  'FREE for 1st week! No1 Nokia tone 4 ur mob every week just txt NOKIA to 8007 Get txting and tell ur mates www.getzed.co.uk POBox 36504 W45WQ norm150p/tone 16+',
  'RT-KIng Pro Video Club>> Need help? info@ringtoneking.co.uk or call 08701237397 You must be 16+ Club credits redeemable at www.ringtoneking.co.uk! Enjoy!',
  'HMV BONUS SPECIAL 500 pounds of genuine HMV vouchers to be won. Just answer 4 easy questions. Play Now! Send HMV to 86688 More info:www.100percent-real.com',
  'You can stop further club tones by replying "STOP MIX" See my-tone.com/enjoy. html for terms. Club tones cost GBP4.50/week. MFL, PO Box 1146 MK45 2WT (2/3)',
  'Do you want a NEW video phone750 anytime any network mins 150 text for only five pounds per week call 08000776320 now or reply for delivery tomorrow',
  'okmail: Dear Dave this is your final notice to collect your 4* Tenerife Holiday or #5000 CASH award! Call 09061743806 from landline. TCs SAE Box326 CW25WX 150ppm',
  "FREE NOKIA Or Motorola with upto 12mths 1/2price linerental, 500 FREE x-net mins&100txt/mth FREE B'tooth*. Call Mobileupd8 on 08001950382 or call 2optout/D3WV",
  '22 days to kick off! For Euro2004 U will be kept up to date with the latest news and results daily. To be removed send GET TXT STOP to 83222',
  'Congratulations ur awarded 500 of CD vouchers or 125gift guaranteed & Free entry 2 100 wkly draw txt MUSIC to 87066',
  'Dorothy@kiefer.com (Bank of Granite issues Strong-Buy) EXPLOSIVE PICK FOR OUR MEMBERS *****UP OVER 300% *********** Nasdaq Symbol CDGT That is a $5.00 per..',
  'Hello. We need some posh birds and chaps to user trial prods for champneys. Can i put you down? I need your address and dob asap. Ta r',
  'Free Top ringtone -sub to weekly ringtone-get 1st week free-send SUBPOLY to 81618-?3 per week-stop sms-08718727870',
  'TheMob>Hit the link to get a premium Pink Panther game, the new no. 1 from Sugababes, a crazy Zebra animation or a badass Hoody wallpaper-all 4 FREE!',
];

export const LEGITIMATE: readonly string[] = [
  '"HEY HEY WERETHE MONKEESPEOPLE SAY WE MONKEYAROUND! HOWDY GORGEOUS, HOWU DOIN? FOUNDURSELF A JOBYET SAUSAGE?LOVE JEN XXX"',
  'Derp. Which is worse, a dude who always wants to party or a dude who files a complaint about the three drug abusers he lives with',
  'Night has ended for another day, morning has come in a special way. May you smile like the sunny rays and leaves your worries at the blue blue bay. Gud mrng',
  "it's still not working. And this time i also tried adding zeros. That was the savings. The checking is  &lt;#&gt; ",
  'In case you wake up wondering where I am, I forgot I have to take care of something for grandma today, should be done before the parade',
  "Aight I've been set free, think you could text me blake's address? It occurs to me I'm not quite as sure what I'm doing as I thought I was",
  'Height of recycling: Read twice- People spend time for earning money and the same money is spent for spending time!;-) Good morning.. keep smiling:-)',
  'Hi juan. Im coming home on fri hey. Of course i expect a welcome party and lots of presents. Ill phone u when i get back. Loads of love nicky x x x x x x x x x',
];

type Stub = {
  [Name in keyof TextStore]: TextStore[Name] extends (...args: infer Args) => Promise<infer Value>
    ? (...args: Args) => Promise<Value>
    : never;
};

export function textStub(): DurableObjectStub {
  return (env as unknown as ControlEnv).TEXT.getByName(TEXT_NAME) as unknown as DurableObjectStub;
}

export function textStore(): Stub {
  return textStub() as unknown as Stub;
}

export async function textKey(): Promise<FingerprintKey> {
  const key = await textKeyOf(env as unknown as ControlEnv);
  if (!key.ok) throw new Error(key.message);
  return key.value;
}

/** @throws if the text is too short */
export async function valuesOf(text: string): Promise<Fingerprint> {
  const values = fingerprintOf(readText(text), await textKey());
  if (values === null) throw new Error(`"${text}" has no fingerprint`);
  return values;
}

/** The fingerprint in the form that reports carry. */
export async function printOf(text: string): Promise<TextFingerprint> {
  return { bytes: new Uint8Array((await valuesOf(text)).buffer), keyId: (await textKey()).id };
}

/** The value of a result. @throws with its code and message */
export function taken<Value>(result: StoreResult<Value>): Value {
  if (result.ok) return result.value;
  throw new Error(`${result.code}: ${result.message}`);
}
