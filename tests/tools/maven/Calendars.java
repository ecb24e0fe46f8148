import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import net.fortuna.ical4j.data.CalendarBuilder;
import net.fortuna.ical4j.model.Calendar;
import net.fortuna.ical4j.model.Component;
import net.fortuna.ical4j.model.component.VEvent;

/** Reads calendar files with ical4j and prints a line for each event: UID, SEQUENCE, local start and local end. */
public final class Calendars {
    public static void main(String[] files) throws Exception {
        for (String file : files) {
            try (var text = Files.newInputStream(Path.of(file))) {
                Calendar calendar = new CalendarBuilder().build(text);
                for (VEvent event : calendar.<VEvent>getComponents(Component.VEVENT)) {
                    System.out.printf("%s %s %s %s%n",
                        event.getUid().get().getValue(),
                        event.getSequence().map(sequence -> sequence.getValue()).orElse("-"),
                        LocalDateTime.from(event.getStartDate().get().getDate()),
                        LocalDateTime.from(event.getEndDate().get().getDate()));
                }
            }
        }
    }
}
