/** The page's own JSON API. Every refusal arrives as an Error whose message is a sentence to show. */
async function request(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Error("The sandbox does not answer. Is it still running in your terminal?");
  }
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(data.error ?? `The sandbox answered ${answer.status}.`);
  return data;
}

export const get = (path) => request("GET", path);
export const post = (path, body) => request("POST", path, body);

const RECONNECT_MILLISECONDS = 1000;

/**
 * Follows the server's events as one user, and reconnects when needed. Each connection begins with a whole snapshot,
 * so a lost connection loses nothing. `onEvent(event)` gets each event, `onState(connected)` each change of the
 * connection.
 * Returns a function that ends it.
 */
export function follow(userId, onEvent, onState) {
  let source;
  let timer;
  const open = () => {
    source = new EventSource(`/api/events?user=${encodeURIComponent(userId)}`);
    source.onopen = () => onState(true);
    source.onmessage = (message) => onEvent(JSON.parse(message.data));
    source.onerror = () => {
      source.close();
      onState(false);
      timer = setTimeout(open, RECONNECT_MILLISECONDS);
    };
  };
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
