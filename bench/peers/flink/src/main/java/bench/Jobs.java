package bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.functions.CoGroupFunction;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichFlatMapFunction;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.legacy.RichSinkFunction;
import org.apache.flink.streaming.api.functions.sink.legacy.SinkFunction;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.assigners.SlidingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;

/** The programs. Flink has no batches: counts run over the whole input, windows over the time of the
 * events, one second for each file. */
final class Jobs {
  private static final long BASE_MS = 1_700_000_000_000L;
  private static final long AD_WINDOW_MS = 10_000;
  /** How far one of two joined streams may run ahead: without a bound its windows fill the heap. */
  private static final Duration DRIFT = Duration.ofSeconds(2);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final TypeInformation<Tuple2<String, Long>> PAIR = Types.TUPLE(Types.STRING, Types.LONG);
  private static final WatermarkStrategy<String> NO_TIME = WatermarkStrategy.noWatermarks();

  private final StreamExecutionEnvironment env;
  private final int batches;
  private final int files;
  private final List<String> inputs;

  Jobs(StreamExecutionEnvironment env, int batches, int files, List<String> inputs) {
    this.env = env;
    this.batches = batches;
    this.files = files;
    this.inputs = inputs;
  }

  void build(String workload) {
    switch (workload) {
      case "grep" -> sum(lines(0, NO_TIME).filter(line -> line.contains("needle"))
          .map(line -> new Tuple2<>("0", 1L)).returns(PAIR), true);
      case "word-count" -> sum(lines(0, NO_TIME).flatMap(Jobs::words).returns(PAIR), false);
      case "yahoo" -> sum(lines(0, NO_TIME).flatMap(new Views(inputs.get(0))).returns(PAIR), false);
      case "running-sum" -> sum(lines(0, NO_TIME).map(Jobs::event).returns(PAIR), true);
      case "sliding-word-count" -> slidingWordCount();
      case "windowed-join" -> join();
      default -> throw new IllegalArgumentException(workload);
    }
  }

  private SingleOutputStreamOperator<String> lines(int input, WatermarkStrategy<String> time) {
    String folder = inputs.get(input);
    return env.fromSource(Sources.lines(Sources.paths(folder, batches, files)), time, folder)
        .map(new Meter<String>()).returns(Types.STRING);
  }

  private void sum(DataStream<Tuple2<String, Long>> pairs, boolean each) {
    pairs.keyBy(pair -> pair.f0, Types.STRING).transform("sum", PAIR, new KeyedSum(each))
        .addSink(new Ignore());
  }

  private static void words(String line, Collector<Tuple2<String, Long>> out) {
    for (String word : line.split(" ")) out.collect(new Tuple2<>(word, 1L));
  }

  private static Tuple2<String, Long> event(String line) {
    int key = line.indexOf(',');
    int value = line.indexOf(',', key + 1);
    return new Tuple2<>(line.substring(0, key), Long.parseLong(line, value + 1, line.length(), 10));
  }

  private static long timeOf(String event) {
    int time = event.indexOf(',') + 1;
    return Long.parseLong(event, time, event.indexOf(',', time), 10);
  }

  private void slidingWordCount() {
    String folder = inputs.get(0);
    WatermarkStrategy<Tuple2<Integer, String>> time =
        WatermarkStrategy.<Tuple2<Integer, String>>forMonotonousTimestamps()
            .withTimestampAssigner((line, before) -> BASE_MS + 1000L * line.f0);
    TypeInformation<Tuple2<Integer, String>> line = Types.TUPLE(Types.INT, Types.STRING);
    env.fromSource(Sources.indexedLines(Sources.paths(folder, batches, files)), time, folder, line)
        .map(new Meter<Tuple2<Integer, String>>()).returns(line)
        .<Tuple2<String, Long>>flatMap((l, out) -> words(l.f1, out)).returns(PAIR)
        .keyBy(pair -> pair.f0, Types.STRING)
        .window(SlidingEventTimeWindows.of(Duration.ofSeconds(30), Duration.ofSeconds(1)))
        .aggregate(new Counting(), new WithWindow(), Types.LONG, Types.LONG,
            Types.TUPLE(Types.INT, Types.STRING, Types.LONG))
        .addSink(new WindowSink());
  }

  private void join() {
    events(0).coGroup(events(1)).where(event -> event.f0, Types.STRING).equalTo(event -> event.f0, Types.STRING)
        .window(SlidingEventTimeWindows.of(Duration.ofSeconds(3), Duration.ofSeconds(1)))
        .apply(new Pairs(), Types.TUPLE(Types.STRING, Types.LONG, Types.LONG))
        .addSink(new PairSink());
  }

  private DataStream<Tuple2<String, Long>> events(int input) {
    WatermarkStrategy<String> time = WatermarkStrategy.<String>forMonotonousTimestamps()
        .withTimestampAssigner((line, before) -> timeOf(line)).withWatermarkAlignment("join", DRIFT);
    return lines(input, time).map(Jobs::event).returns(PAIR);
  }

  private static int batchOf(long windowEndMs) {
    return (int) ((windowEndMs - BASE_MS) / 1000 - 1);
  }

  private static final class Ignore implements SinkFunction<Tuple2<String, Long>> {
    @Override public void invoke(Tuple2<String, Long> pair, Context context) {}
  }

  /** The view's window and campaign. */
  private static final class Views extends RichFlatMapFunction<String, Tuple2<String, Long>> {
    private final String folder;
    private transient Map<String, String> campaigns;

    Views(String folder) {
      this.folder = folder;
    }

    @Override public void open(OpenContext context) throws IOException {
      campaigns = new HashMap<>();
      for (String line : Files.readAllLines(Path.of(folder, "campaigns.tsv"))) {
        String[] pair = line.split("\t");
        campaigns.put(pair[0], pair[1]);
      }
    }

    @Override public void flatMap(String line, Collector<Tuple2<String, Long>> out) throws IOException {
      JsonNode ad = JSON.readTree(line);
      if (!ad.get("event_type").asText().equals("view")) return;
      long window = Long.parseLong(ad.get("event_time").asText()) / AD_WINDOW_MS * AD_WINDOW_MS;
      out.collect(new Tuple2<>(window + "\t" + campaigns.get(ad.get("ad_id").asText()), 1L));
    }
  }

  private static final class Counting implements AggregateFunction<Tuple2<String, Long>, Long, Long> {
    @Override public Long createAccumulator() {
      return 0L;
    }

    @Override public Long add(Tuple2<String, Long> pair, Long count) {
      return count + pair.f1;
    }

    @Override public Long getResult(Long count) {
      return count;
    }

    @Override public Long merge(Long a, Long b) {
      return a + b;
    }
  }

  private static final class WithWindow
      extends ProcessWindowFunction<Long, Tuple3<Integer, String, Long>, String, TimeWindow> {
    @Override public void process(String word, Context context, Iterable<Long> counts,
        Collector<Tuple3<Integer, String, Long>> out) {
      out.collect(new Tuple3<>(batchOf(context.window().getEnd()), word, counts.iterator().next()));
    }
  }

  private static final class WindowSink implements SinkFunction<Tuple3<Integer, String, Long>> {
    @Override public void invoke(Tuple3<Integer, String, Long> count, Context context) {
      Results.addToWindow(count.f0, 1, Checks.hash(count.f1 + "\t" + count.f2));
    }
  }

  /** All pairs of a window, one by one, as Flink's join forms them. */
  private static final class Pairs
      implements CoGroupFunction<Tuple2<String, Long>, Tuple2<String, Long>, Tuple3<String, Long, Long>> {
    @Override public void coGroup(Iterable<Tuple2<String, Long>> left, Iterable<Tuple2<String, Long>> right,
        Collector<Tuple3<String, Long, Long>> out) {
      for (Tuple2<String, Long> a : left) {
        for (Tuple2<String, Long> b : right) out.collect(new Tuple3<>(a.f0, a.f1, b.f1));
      }
    }
  }

  /** A record's time is the last millisecond of its window. */
  private static final class PairSink extends RichSinkFunction<Tuple3<String, Long, Long>> {
    @Override public void invoke(Tuple3<String, Long, Long> pair, Context context) {
      Results.addToWindow(batchOf(context.timestamp() + 1), 1, 0);
    }
  }
}
