package bench;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.spark.SparkConf;
import org.apache.spark.streaming.Duration;
import org.apache.spark.streaming.api.java.JavaStreamingContext;
import org.apache.spark.streaming.scheduler.BatchInfo;
import org.apache.spark.streaming.scheduler.StreamingListener;
import org.apache.spark.streaming.scheduler.StreamingListenerBatchCompleted;
import org.apache.spark.util.ManualClock;

/**
 * Spark Streaming as a contestant. Arguments: workload, number of batches, files of an input, folder
 * for temporary files, then the folder of each input.
 *
 * <p>Batches of one second on Spark's own manual clock: "leg N" on stdin moves it by N batches, which
 * then run back to back, and checkpoints keep their default distance of ten batches. A leg's time is
 * the sum of the batches' processing times as Spark's listener gives them.
 */
public final class SparkPeer {
  static final long INTERVAL_MS = 1000;

  private final JavaStreamingContext context;
  private final BlockingQueue<BatchInfo> completed = new LinkedBlockingQueue<>();


  private SparkPeer(String workload, int batches, int files, Path folder, List<String> inputs) {
    SparkConf conf = conf(workload, folder);
    context = new JavaStreamingContext(conf, new Duration(INTERVAL_MS));
    context.sparkContext().setLogLevel("ERROR");
    String checkpoint = folder.resolve("checkpoint").toString();
    new Workloads(context, batches, files, inputs, checkpoint).build(workload);
    context.addStreamingListener(new StreamingListener() {
      @Override public void onBatchCompleted(StreamingListenerBatchCompleted event) {
        completed.add(event.batchInfo());
      }
    });
  }

  private static SparkConf conf(String workload, Path folder) {
    return new SparkConf().setMaster("local[2]").setAppName(workload)
        .set("spark.streaming.clock", ManualClock.class.getName())
        .set("spark.default.parallelism", "2")
        .set("spark.serializer", "org.apache.spark.serializer.KryoSerializer")
        .set("spark.ui.enabled", "false")
        .set("spark.local.dir", folder.toString())
        .set("spark.driver.host", "127.0.0.1")
        .set("spark.driver.bindAddress", "127.0.0.1");
  }

  private void leg(int batches) throws InterruptedException {
    ManualClock clock = (ManualClock) context.ssc().scheduler().clock();
    clock.advance(INTERVAL_MS * batches);
    TreeMap<Long, BatchInfo> infos = new TreeMap<>();
    while (infos.size() < batches) {
      BatchInfo info = completed.take();
      infos.put(info.batchTime().milliseconds(), info);
    }
    long ms = 0;
    List<String> checks = new ArrayList<>();
    for (BatchInfo info : infos.values()) {
      if (info.outputOperationInfos().values().exists(o -> o.failureReason().isDefined())) {
        throw new IllegalStateException("Batch " + info.batchTime() + " failed");
      }
      ms += (Long) info.processingDelay().get();
      String check = Workloads.takeCheck(info.batchTime().milliseconds());
      if (check != null) checks.add(check);
    }

    Checks.say(System.out, "{\"kind\":\"leg\",\"ms\":" + ms + ",\"checks\":" + Checks.quoted(checks) + "}");
  }

  public static void main(String[] args) throws Exception {
    List<String> inputs = List.of(args).subList(4, args.length);
    int batches = Integer.parseInt(args[1]);
    SparkPeer peer = new SparkPeer(args[0], batches, Integer.parseInt(args[2]), Path.of(args[3]), inputs);
    peer.context.start();
    Checks.say(System.out, "{\"kind\":\"ready\"}");
    BufferedReader stdin = new BufferedReader(new InputStreamReader(System.in));
    for (String line = stdin.readLine(); line != null; line = stdin.readLine()) {
      if (line.startsWith("leg ")) peer.leg(Integer.parseInt(line.substring(4)));
      else {
        String totals = Workloads.totals();
        String json = totals == null ? "" : ",\"totals\":\"" + totals + "\"";
        Checks.say(System.out, "{\"kind\":\"finish\"" + json + "}");
        break;
      }
    }
    Runtime.getRuntime().halt(0);
  }
}
