// Reads calendar files with ical.js. Prints a JSON line for each file: its method and its events, times in UTC.
import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const moment = (time) => time.toJSDate().toISOString();
for (const file of process.argv.slice(2)) {
  const calendar = new ICAL.Component(ICAL.parse(readFileSync(file, "utf8")));
  const events = calendar.getAllSubcomponents("vevent").map((part) => {
    const event = new ICAL.Event(part);
    return {
      uid: event.uid,
      sequence: event.sequence ?? 0,
      stamp: moment(part.getFirstPropertyValue("dtstamp")),
      starts_at: moment(event.startDate),
      ends_at: moment(event.endDate),
      status: part.getFirstPropertyValue("status") ?? "CONFIRMED",
      location: event.location ?? "",
      organizer: event.organizer ?? "",
    };
  });
  console.log(JSON.stringify({ method: calendar.getFirstPropertyValue("method") ?? "", events }));
}
