package bench;

import java.util.concurrent.atomic.AtomicLong;
import org.apache.flink.api.common.functions.RichMapFunction;

/** Chained right behind a source: says when the records of one more batch have passed. */
final class Meter<T> extends RichMapFunction<T, T> {
  private static final AtomicLong SEEN = new AtomicLong();
  private static final int STEPS_A_BATCH = 50;
  private static long batch;
  private static int step;

  private transient int passed;

  /** Sets how many records are a batch, over all sources. */
  static void start(long records) {
    batch = records;
    step = (int) Math.min(1000, Math.max(1, records / STEPS_A_BATCH));
  }

  @Override public T map(T record) {
    if (++passed == step) {
      passed = 0;
      long seen = SEEN.addAndGet(step);
      if (seen / batch != (seen - step) / batch) {
        Checks.say(System.out, "{\"kind\":\"mark\",\"batches\":" + seen / batch + "}");
      }
    }
    return record;
  }
}
