/** What a `data:` URL holds, in base64; `undefined` for any other URL. */
export function dataIn(url: string): { media_type: string; data: string } | undefined {
  const [, type = '', base64, data = ''] = /^data:([^;,]*)[^,]*?(;base64)?,(.*)$/s.exec(url) ?? [];
  if (!url.startsWith('data:')) return undefined;
  return { media_type: type || 'text/plain', data: base64 === undefined ? btoa(decodeURIComponent(data)) : data };
}

/** The text that base64 stands for; what is no base64 is taken for the text itself. */
export function textInBase64(base64: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)));
  } catch {
    return base64;
  }
}

/** The kind of a file that comes without one, by its name: PDF, unless that says that it is text. */
export function mediaTypeByName(filename: string): string {
  return /\.(txt|md|csv|tsv|json|xml|ya?ml|html?|log)$/i.test(filename) ? 'text/plain' : 'application/pdf';
}

/** True for kinds of files that are nothing but text. */
export function isTextType(mediaType: string): boolean {
  return /^(text\/|application\/(json|xml|(x-)?yaml|javascript|typescript|x-ndjson|sql))/.test(mediaType);
}
