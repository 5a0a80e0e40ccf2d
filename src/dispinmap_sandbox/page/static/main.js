import { follow } from "./api.js";
import { Composer } from "./composer.js";
import { byId } from "./dom.js";
import { startMessages } from "./messages.js";
import { Panel } from "./panel.js";
import { startSidebar } from "./sidebar.js";
import { apply, state } from "./store.js";
import { setClock, startTimebar } from "./timebar.js";

const panel = new Panel();
let stop = () => {};

function receive(event) {
  if (event.clock !== undefined) setClock(event.clock);
  if (event.world) panel.show(event.world);
  apply(event);
}

function connect() {
  stop();
  stop = follow(state.viewer ?? "", receive, (connected) => {
    byId("lost").hidden = connected;
  });
}

startTimebar((text, isError) => panel.notify(text, isError));
startSidebar(connect);
startMessages();
new Composer();
connect();
