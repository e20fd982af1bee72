// What every picture of this package is made of: text that is safe, one look in light and dark.

/** In the text and the attributes of XML. Characters that XML does not have become U+FFFD. */
export function escapeXml(text: string): string {
  const safe = text.replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/gu, '\ufffd');
  return safe.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** Stands on any background; colours follow the reader's light or dark setting. Reaches no other part of a page. */
const STYLE = `
  .lf text { font: 12px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #57606a }
  .lf .title { font-size: 13px; font-weight: 600; fill: #24292f }
  .lf .window { color: #4493f8 } .lf .global { color: #e0823d } .lf .itself { color: #1f4f99 } .lf .weight { color: #c2410c }
  .lf .empty { color: #7f8c99; opacity: .16 }
  @media (prefers-color-scheme: dark) {
    .lf text { fill: #9aa4af } .lf .title { fill: #e6edf3 }
    .lf .window { color: #3f7ed0 } .lf .global { color: #e8935a } .lf .itself { color: #a8cbff } .lf .weight { color: #fb923c }
    .lf .empty { color: #9aa4af }
  }
`;

/** A whole picture. `label` says what there is to see to who does not see it. */
export function svg(width: number, height: number, label: string, elements: readonly string[]): string {
  const [w, h] = [Math.ceil(width), Math.ceil(height)];
  return `<svg class="lf" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" width="${w}" height="${h}" role="img" aria-label="${escapeXml(label)}">
<title>${escapeXml(label)}</title>
<style>${STYLE}</style>
${elements.join('\n')}
</svg>
`;
}

export function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${rounded(x)}" y="${rounded(y)}"${attributes && ` ${attributes}`}>${escapeXml(content)}</text>`;
}

/** Stretches of equal neighbours: `[start, end, value]`, without those whose value is null. */
export function stretchesOf<T>(count: number, valueOf: (index: number) => T | null): [start: number, end: number, value: T][] {
  const stretches: [number, number, T][] = [];
  let start = 0;
  let value = count > 0 ? valueOf(0) : null;
  for (let i = 1; i <= count; i++) {
    const next = i < count ? valueOf(i) : null;
    if (i < count && next === value) continue;
    if (value !== null) stretches.push([start, i, value]);
    start = i;
    value = next;
  }
  return stretches;
}

/** As many digits as a picture needs. */
export function rounded(value: number): string {
  return String(Math.round(value * 100) / 100);
}
