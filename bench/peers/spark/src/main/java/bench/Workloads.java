package bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.Optional;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.api.java.function.Function3;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.streaming.Duration;
import org.apache.spark.streaming.State;
import org.apache.spark.streaming.StateSpec;
import org.apache.spark.streaming.Time;
import org.apache.spark.streaming.api.java.JavaDStream;
import org.apache.spark.streaming.api.java.JavaMapWithStateDStream;
import org.apache.spark.streaming.api.java.JavaPairDStream;
import org.apache.spark.streaming.api.java.JavaStreamingContext;
import scala.Tuple2;

/** The programs, as the pipelines in bench/pipelines/ have them. */
final class Workloads {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int TOP = 10;
  private static final long AD_WINDOW_MS = 10_000;
  private static final Function2<Long, Long, Long> ADD = (a, b) -> a + b;
  private static final Function2<Long, Long, Long> SUBTRACT = (a, b) -> a - b;

  // Static, since Spark serializes the functions of a checkpointed stream with all that they hold.
  private static final Map<Long, String> CHECKS = new ConcurrentHashMap<>();
  private static volatile JavaPairRDD<String, Long> snapshot;

  private final JavaStreamingContext context;
  private final int batches;
  private final int files;
  private final List<String> inputs;
  private final String checkpoint;

  Workloads(JavaStreamingContext context, int batches, int files, List<String> inputs, String checkpoint) {
    this.context = context;
    this.batches = batches;
    this.files = files;
    this.inputs = inputs;
    this.checkpoint = checkpoint;
  }

  /** The check of a batch, once it is completed; null where there is none by batch. */
  static String takeCheck(long time) {
    return CHECKS.remove(time);
  }

  /** The check of the state at the end; null where there is none. */
  static String totals() {
    return snapshot == null ? null : checkOf(snapshot);
  }

  void build(String workload) {
    switch (workload) {
      case "grep" -> lines(0).filter(line -> line.contains("needle"))
          .foreachRDD((rdd, time) -> put(time, Checks.ofRow(String.valueOf(rdd.count()))));
      case "word-count" -> words().reduceByKey(ADD, 2).foreachRDD((rdd, time) -> put(time, checkOf(rdd)));
      case "sliding-word-count" -> windowedWords().foreachRDD((rdd, time) -> put(time, checkOf(rdd)));
      case "top-k" -> windowedWords().foreachRDD((rdd, time) -> put(time, topOf(rdd)));
      case "yahoo" -> views().reduceByKey(ADD, 2).foreachRDD((rdd, time) -> put(time, viewsOf(rdd)));
      case "running-sum" -> runningSum();
      case "windowed-join" -> join();
      default -> throw new IllegalArgumentException(workload);
    }
  }

  private static void put(Time time, String check) {
    CHECKS.put(time.milliseconds(), check);
  }

  /** Two partitions a batch, as the other contestants have them. */
  private JavaDStream<String> lines(int input) {
    Queue<JavaRDD<String>> queue = new LinkedList<>();
    Path folder = Path.of(inputs.get(input)).toAbsolutePath();
    for (int i = 0; i < batches; i++) {
      String file = "file://" + folder + String.format("/batch-%05d.txt", i % files);
      queue.add(context.sparkContext().textFile(file, 2));
    }
    return context.queueStream(queue, true);
  }

  private JavaPairDStream<String, Long> words() {
    return lines(0).flatMap(line -> Arrays.asList(line.split(" ")).iterator())
        .mapToPair(word -> new Tuple2<>(word, 1L));
  }

  private JavaPairDStream<String, Long> windowedWords() {
    context.checkpoint(checkpoint);
    return words().reduceByKeyAndWindow(ADD, SUBTRACT, new Duration(30 * SparkPeer.INTERVAL_MS),
        new Duration(SparkPeer.INTERVAL_MS), 2, pair -> pair._2() != 0L);
  }

  private JavaPairDStream<Tuple2<String, Long>, Long> views() {
    Broadcast<HashMap<String, String>> campaigns = context.sparkContext().broadcast(campaigns());
    return lines(0).map(line -> JSON.readTree(line))
        .filter(ad -> ad.get("event_type").asText().equals("view"))
        .mapToPair(ad -> new Tuple2<>(viewKey(ad, campaigns.value()), 1L));
  }

  private static Tuple2<String, Long> viewKey(JsonNode ad, Map<String, String> campaigns) {
    long time = Long.parseLong(ad.get("event_time").asText());
    return new Tuple2<>(campaigns.get(ad.get("ad_id").asText()), time / AD_WINDOW_MS * AD_WINDOW_MS);
  }

  private HashMap<String, String> campaigns() {
    HashMap<String, String> campaigns = new HashMap<>();
    try {
      for (String line : Files.readAllLines(Path.of(inputs.get(0), "campaigns.tsv"))) {
        String[] pair = line.split("\t");
        campaigns.put(pair[0], pair[1]);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return campaigns;
  }

  private JavaPairDStream<String, Long> events(int input) {
    return lines(input).mapToPair(line -> {
      int key = line.indexOf(',');
      int value = line.indexOf(',', key + 1);
      return new Tuple2<>(line.substring(0, key), Long.parseLong(line, value + 1, line.length(), 10));
    });
  }

  /** The sums that a batch gives depend on the order of its partitions, which Spark leaves open: they
   * are counted, and the state is checked at the end. */
  private void runningSum() {
    context.checkpoint(checkpoint);
    Function3<String, Optional<Long>, State<Long>, Long> addToState = (key, value, state) -> {
      long sum = (state.exists() ? state.get() : 0L) + value.orElse(0L);
      state.update(sum);
      return sum;
    };
    JavaMapWithStateDStream<String, Long, Long, Long> sums =
        events(0).mapWithState(StateSpec.function(addToState).numPartitions(2));
    sums.foreachRDD((rdd, time) -> {
      rdd.count();
    });
    sums.stateSnapshots().foreachRDD((rdd, time) -> {
      snapshot = rdd;
    });
  }

  private void join() {
    Duration length = new Duration(3 * SparkPeer.INTERVAL_MS);
    events(0).window(length).join(events(1).window(length), 2)
        .foreachRDD((rdd, time) -> put(time, Checks.ofRow(String.valueOf(rdd.count()))));
  }

  private interface Row<T> extends Serializable {
    String of(T record);
  }

  /** Hashes the rows where they are, and adds the sums up. */
  private static <T> String checkOf(JavaRDD<T> rdd, Row<T> row) {
    FlatMapFunction<Iterator<T>, long[]> hash = records -> {
      long rows = 0;
      long sum = 0;
      for (; records.hasNext(); rows++) sum += Checks.hash(row.of(records.next()));
      return List.of(new long[] {rows, sum}).iterator();
    };
    long rows = 0;
    long sum = 0;
    for (long[] part : rdd.mapPartitions(hash).collect()) {
      rows += part[0];
      sum += part[1];
    }
    return Checks.show(rows, sum);
  }

  private static String checkOf(JavaPairRDD<String, Long> rdd) {
    return checkOf(rdd.rdd().toJavaRDD(), (Tuple2<String, Long> pair) -> pair._1() + "\t" + pair._2());
  }

  private static String viewsOf(JavaPairRDD<Tuple2<String, Long>, Long> rdd) {
    return checkOf(rdd.rdd().toJavaRDD(), (Tuple2<Tuple2<String, Long>, Long> pair) ->
        pair._1()._2() + "\t" + pair._1()._1() + "\t" + pair._2());
  }

  private static final class ByCount implements Comparator<Tuple2<String, Long>>, Serializable {
    @Override public int compare(Tuple2<String, Long> a, Tuple2<String, Long> b) {
      int byCount = Long.compare(b._2(), a._2());
      return byCount != 0 ? byCount : a._1().compareTo(b._1());
    }
  }

  private static String topOf(JavaPairRDD<String, Long> rdd) {
    long sum = 0;
    List<Tuple2<String, Long>> top = rdd.takeOrdered(TOP, new ByCount());
    for (Tuple2<String, Long> pair : top) sum += Checks.hash(pair._1() + "\t" + pair._2());
    return Checks.show(top.size(), sum);
  }
}
