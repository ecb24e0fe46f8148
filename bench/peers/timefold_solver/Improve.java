import static ai.timefold.solver.core.api.score.stream.ConstraintCollectors.countBi;
import static ai.timefold.solver.core.api.score.stream.ConstraintCollectors.toList;
import static ai.timefold.solver.core.api.score.stream.Joiners.equal;

import ai.timefold.solver.core.api.domain.entity.PlanningEntity;
import ai.timefold.solver.core.api.domain.lookup.PlanningId;
import ai.timefold.solver.core.api.domain.solution.PlanningEntityCollectionProperty;
import ai.timefold.solver.core.api.domain.solution.PlanningScore;
import ai.timefold.solver.core.api.domain.solution.PlanningSolution;
import ai.timefold.solver.core.api.domain.solution.ProblemFactCollectionProperty;
import ai.timefold.solver.core.api.domain.valuerange.ValueRangeProvider;
import ai.timefold.solver.core.api.domain.variable.PlanningVariable;
import ai.timefold.solver.core.api.score.buildin.hardmediumsoft.HardMediumSoftScore;
import ai.timefold.solver.core.api.score.stream.Constraint;
import ai.timefold.solver.core.api.score.stream.ConstraintFactory;
import ai.timefold.solver.core.api.score.stream.ConstraintProvider;
import ai.timefold.solver.core.api.score.stream.bi.BiConstraintStream;
import ai.timefold.solver.core.api.solver.SolverFactory;
import ai.timefold.solver.core.config.solver.SolverConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Scanner;
import java.util.stream.Collectors;

/**
 * The same problem for Timefold Solver: encounters get slots, nobody twice, tables suffice, few wait, few breaks.
 *
 * Arguments: a file of numbers, as bench/peers/timefold.py writes it, and seconds. It begins with the agenda in the
 * file, uses Timefold's default phases, and prints a line for each better feasible agenda: milliseconds since solving
 * began, then the slot of each encounter (-1: it waits).
 */
public final class Improve {
    /** An encounter, the two who meet in it, and the slots it may have. */
    @PlanningEntity
    public static class Encounter {
        @PlanningId public Integer id;
        public int one;
        public int other;
        @ValueRangeProvider(id = "slots") public List<Integer> slots;
        @PlanningVariable(valueRangeProviderRefs = "slots", allowsUnassigned = true) public Integer slot;

        public Integer getSlot() {
            return slot;
        }
    }

    /** One of the two sides of an encounter, by its id: the solver works on copies of encounters. */
    public record Side(int encounter, Person person) {}

    /** A participant, and the slots that sessions take. */
    public record Person(int id, long attending, List<Long> days) {
        int twice(List<Integer> slots) {
            return slots.size() - new HashSet<>(slots).size();
        }

        int breaks(List<Integer> slots) {
            long busy = 0;
            for (int slot : slots) {
                busy |= 1L << slot;
            }
            int breaks = 0;
            for (long day : days) {
                long met = busy & day;
                if (met != 0) {
                    long span = (Long.highestOneBit(met) << 1) - Long.lowestOneBit(met);
                    long idle = span & day & ~(busy | attending);
                    breaks += Long.bitCount(idle & ~(idle << 1));
                }
            }
            return breaks;
        }
    }

    /** The tables of a set of zones, by slot. */
    public record Room(int id, List<Integer> tables) {}

    /** An encounter sits at a table of the room. */
    public record Take(int encounter, Room room) {}

    /** The agenda of an edition. */
    @PlanningSolution
    public static class Agenda {
        @PlanningEntityCollectionProperty public List<Encounter> encounters = new ArrayList<>();
        @ProblemFactCollectionProperty public List<Side> sides = new ArrayList<>();
        @ProblemFactCollectionProperty public List<Take> takes = new ArrayList<>();
        @PlanningScore public HardMediumSoftScore score;
    }

    /** The rules and the levels. */
    public static class Rules implements ConstraintProvider {
        @Override
        public Constraint[] defineConstraints(ConstraintFactory factory) {
            return new Constraint[] {nobodyTwice(factory), tablesSuffice(factory), nobodyWaits(factory), breaks(factory)};
        }

        private BiConstraintStream<Person, List<Integer>> agendas(ConstraintFactory factory) {
            return factory.forEach(Side.class)
                .join(Encounter.class, equal(Side::encounter, encounter -> encounter.id))
                .groupBy((side, encounter) -> side.person(), toList((side, encounter) -> encounter.slot));
        }

        private Constraint nobodyTwice(ConstraintFactory factory) {
            return agendas(factory)
                .penalize(HardMediumSoftScore.ONE_HARD, Person::twice)
                .asConstraint("nobody twice");
        }

        private Constraint tablesSuffice(ConstraintFactory factory) {
            return factory.forEach(Take.class)
                .join(Encounter.class, equal(Take::encounter, encounter -> encounter.id))
                .groupBy((take, encounter) -> take.room(), (take, encounter) -> encounter.slot, countBi())
                .filter((room, slot, taken) -> taken > room.tables().get(slot))
                .penalize(HardMediumSoftScore.ONE_HARD, (room, slot, taken) -> taken - room.tables().get(slot))
                .asConstraint("tables suffice");
        }

        private Constraint nobodyWaits(ConstraintFactory factory) {
            return factory.forEachIncludingUnassigned(Encounter.class)
                .filter(encounter -> encounter.slot == null)
                .penalize(HardMediumSoftScore.ONE_MEDIUM)
                .asConstraint("nobody waits");
        }

        private Constraint breaks(ConstraintFactory factory) {
            return agendas(factory)
                .penalize(HardMediumSoftScore.ONE_SOFT, Person::breaks)
                .asConstraint("breaks");
        }
    }

    private Improve() {}

    public static void main(String[] arguments) throws Exception {
        Agenda agenda = read(Path.of(arguments[0]));
        var solver = SolverFactory.<Agenda>create(new SolverConfig()
                .withSolutionClass(Agenda.class)
                .withEntityClasses(Encounter.class)
                .withConstraintProviderClass(Rules.class)
                .withRandomSeed(1L)
                .withTerminationSpentLimit(Duration.ofSeconds(Long.parseLong(arguments[1]))))
            .buildSolver();
        solver.addEventListener(event -> {
            if (event.getNewBestScore().isFeasible()) {
                System.out.println(event.getTimeMillisSpent() + " " + event.getNewBestSolution().encounters.stream()
                    .map(encounter -> String.valueOf(encounter.slot == null ? -1 : encounter.slot))
                    .collect(Collectors.joining(" ")));
            }
        });
        solver.solve(agenda);
    }

    private static Agenda read(Path file) throws Exception {
        Agenda agenda = new Agenda();
        try (Scanner numbers = new Scanner(Files.newBufferedReader(file))) {
            List<Long> days = new ArrayList<>();
            for (int left = numbers.nextInt(); left > 0; left--) {
                days.add(numbers.nextLong());
            }
            List<Person> people = new ArrayList<>();
            for (int left = numbers.nextInt(); left > 0; left--) {
                people.add(new Person(people.size(), numbers.nextLong(), days));
            }
            List<Room> rooms = new ArrayList<>();
            int slots = numbers.nextInt();
            for (int left = numbers.nextInt(); left > 0; left--) {
                rooms.add(new Room(rooms.size(), integers(numbers, slots)));
            }
            for (int left = numbers.nextInt(); left > 0; left--) {
                agenda.encounters.add(encounter(numbers, agenda, people, rooms));
            }
        }
        return agenda;
    }

    private static Encounter encounter(Scanner numbers, Agenda agenda, List<Person> people, List<Room> rooms) {
        Encounter encounter = new Encounter();
        encounter.id = agenda.encounters.size();
        encounter.one = numbers.nextInt();
        encounter.other = numbers.nextInt();
        int slot = numbers.nextInt();
        encounter.slot = slot < 0 ? null : slot;
        encounter.slots = integers(numbers, numbers.nextInt());
        integers(numbers, numbers.nextInt()).forEach(room -> agenda.takes.add(new Take(encounter.id, rooms.get(room))));
        agenda.sides.add(new Side(encounter.id, people.get(encounter.one)));
        agenda.sides.add(new Side(encounter.id, people.get(encounter.other)));
        return encounter;
    }

    private static List<Integer> integers(Scanner numbers, int count) {
        List<Integer> integers = new ArrayList<>();
        for (int left = count; left > 0; left--) {
            integers.add(numbers.nextInt());
        }
        return integers;
    }
}
