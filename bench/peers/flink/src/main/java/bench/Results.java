package bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/** What the sinks have got. All runs in one JVM, so it is static. */
final class Results {
  private static final AtomicLong ROWS = new AtomicLong();
  private static final AtomicLong SUM = new AtomicLong();
  /** By window: rows and the sum of their hashes, or the number of pairs. */
  private static final ConcurrentHashMap<Integer, AtomicLongArray> WINDOWS = new ConcurrentHashMap<>();

  private Results() {}

  static void addTotals(long rows, long sum) {
    ROWS.addAndGet(rows);
    SUM.addAndGet(sum);
  }

  static void addToWindow(int window, long rows, long sum) {
    AtomicLongArray of = WINDOWS.computeIfAbsent(window, i -> new AtomicLongArray(2));
    of.addAndGet(0, rows);
    of.addAndGet(1, sum);
  }

  static String json(String workload, int batches) {
    if (WINDOWS.isEmpty()) {
      return "{\"kind\":\"finish\",\"totals\":\"" + Checks.show(ROWS.get(), SUM.get()) + "\"}";
    }
    List<String> checks = new ArrayList<>();
    for (int i = 0; i < batches; i++) {
      AtomicLongArray of = WINDOWS.getOrDefault(i, new AtomicLongArray(2));
      boolean pairs = workload.equals("windowed-join");
      checks.add(pairs ? Checks.ofRow(String.valueOf(of.get(0))) : Checks.show(of.get(0), of.get(1)));
    }
    return "{\"kind\":\"finish\",\"checks\":" + Checks.quoted(checks) + "}";
  }
}
