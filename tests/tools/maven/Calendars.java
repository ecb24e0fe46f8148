import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.temporal.Temporal;
import java.time.Instant;
import java.time.ZoneOffset;
import net.fortuna.ical4j.data.CalendarBuilder;
import net.fortuna.ical4j.model.Calendar;
import net.fortuna.ical4j.model.Component;
import net.fortuna.ical4j.model.component.VEvent;
import net.fortuna.ical4j.validate.ValidationResult;

/**
 * Reads calendar files with ical4j and prints a line for each event: UID, SEQUENCE, start and end in UTC. With
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
        for (VEvent event : calendar.<VEvent>getComponents(Component.VEVENT)) {
            System.out.printf("%s %s %s %s%n",
                event.getUid().get().getValue(),
                event.getSequence().map(sequence -> sequence.getValue()).orElse("-"),
                utc(event.getStartDate().get().getDate()),
                utc(event.getEndDate().get().getDate()));
        }
    }

    private static LocalDateTime utc(Temporal moment) {
        return LocalDateTime.ofInstant(Instant.from(moment), ZoneOffset.UTC);
    }
}
