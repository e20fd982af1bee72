// A document of so many words, always the same: the log of a harbour, in Markdown, with one fact in it
// that stands nowhere else.

export const FACT = 'Old Merriweather keeps the spare key of the lighthouse behind the broken barometer in the boat shed.';
const ABOUT = `${FACT} The keeper of the light loses his own key every winter, and has to be let in to his lamp by somebody who knows of the other one.`;
export const QUESTION = 'Where is the spare key to the lighthouse hidden?';

const WHO = ['The harbour master', 'A fisherman from the north pier', 'The cook of the ferry', 'Anna the sailmaker', 'The customs officer', 'Two boys from the village', 'The captain of the tug', 'The widow Larsen', 'A surveyor from the city', 'The baker'];
const DID = ['counted the crates on the quay', 'repaired the torn net', 'painted the hull of a small boat', 'wrote a long letter to the ministry', 'sold a basket of herring', 'waited for the evening tide', 'measured the depth beside the wreck', 'argued about the price of coal', 'carried flour up the hill', 'looked for a lost dog'];
const WHEN = ['before the fog came in', 'while the church bells rang', 'on the coldest morning of the month', 'after the mail boat had left', 'during the long rain', 'at the turn of the tide', 'when the market closed', 'under a clear sky'];
const THEN = ['Nobody thought more of it.', 'It was written down in the book.', 'The price was paid in silver.', 'There was talk of it for a week.', 'The weather held until Sunday.', 'A barrel was left over.', 'By night the wind had turned to the east.', 'The children laughed about it.'];

export function longDocument(words) {
  let state = 7;
  const pick = (list) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return list[Math.floor(state / 2 ** 32 * list.length)];
  };
  const lines = ['# The log of the harbour', ''];
  let count = 5;
  let hasFact = false;
  const add = (line) => {
    const left = words - count;
    const cut = line.split(' ').slice(0, left).join(' ');
    count += cut.split(' ').length;
    return cut;
  };
  for (let day = 1; count < words; day++) {
    lines.push(add(`## Day ${day}`), '');
    for (let paragraph = 0; paragraph < 4 && count < words; paragraph++) {
      const sentences = Array.from({ length: 5 }, () => `${pick(WHO)} ${pick(DID)} ${pick(WHEN)}. ${pick(THEN)}`);
      if (!hasFact && count > words * 0.7) {
        lines.push(add('## The lighthouse'), '', add(ABOUT), '', add(`## Day ${day}, evening`), '');
        hasFact = true;
      }
      lines.push(add(sentences.join(' ')), '');
    }
  }
  return lines.join('\n');
}
