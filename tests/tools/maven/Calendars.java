import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.stream.Collectors;
import net.fortuna.ical4j.data.CalendarBuilder;
import net.fortuna.ical4j.model.Calendar;
import net.fortuna.ical4j.model.Component;
import net.fortuna.ical4j.model.Property;
import net.fortuna.ical4j.model.PropertyContainer;
import net.fortuna.ical4j.model.component.VEvent;
import net.fortuna.ical4j.validate.ValidationResult;

/**
 * Reads calendar files with ical4j and prints a JSON line for each file: its method and its events, times in UTC. With
 * `--validate` it prints a line for each finding of ical4j's validators instead: none for a clean file.
 */
public final class Calendars {
    public static void main(String[] files) throws Exception {
        boolean validates = files.length > 0 && files[0].equals("--validate");
        for (String file : files) {
            if (file.equals("--validate")) {
                continue;
            }
            try (var text = Files.newInputStream(Path.of(file))) {
                Calendar calendar = new CalendarBuilder().build(text);
                if (validates) {
                    report(file, calendar.validate());
                } else {
                    list(calendar);
                }
            } catch (Exception error) {
                if (!validates) {
                    throw error;
                }
                System.out.println(file + " " + error);
            }
        }
    }

    private static void report(String file, ValidationResult result) {
        result.getEntries().forEach(entry -> System.out.println(file + " " + entry));
    }

    private static void list(Calendar calendar) {
        String events = calendar.<VEvent>getComponents(Component.VEVENT).stream().map(Calendars::json)
            .collect(Collectors.joining(","));
        System.out.printf("{\"method\":%s,\"events\":[%s]}%n", text(calendar, Property.METHOD), events);
    }

    private static String json(VEvent event) {
        return String.format(
            "{\"uid\":%s,\"sequence\":%s,\"stamp\":\"%s\",\"starts_at\":\"%s\",\"ends_at\":\"%s\","
                + "\"status\":%s,\"location\":%s,\"organizer\":%s}",
            text(event, Property.UID),
            event.getSequence().map(sequence -> sequence.getValue()).orElse("0"),
            event.getDateTimeStamp().get().getDate(),
            Instant.from(event.getStartDate().get().getDate()),
            Instant.from(event.getEndDate().get().getDate()),
            text(event, Property.STATUS),
            text(event, Property.LOCATION),
            text(event, Property.ORGANIZER));
    }

    private static String text(PropertyContainer owner, String name) {
        String value = owner.getProperty(name).map(Property::getValue).orElse("");
        StringBuilder quoted = new StringBuilder("\"");
        value.chars().forEach(unit -> quoted.append(
            unit == '"' || unit == '\\' || unit < ' ' || unit > '~' ? String.format("\\u%04x", unit) : String.valueOf((char) unit)));
        return quoted.append('"').toString();
    }
}
