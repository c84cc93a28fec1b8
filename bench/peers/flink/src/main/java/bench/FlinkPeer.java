package bench;

import java.nio.file.Path;
import java.util.List;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * Flink as a contestant. Arguments: workload, number of batches, files of an input, records of a file,
 * folder for temporary files, then the folder of each input.
 *
 * <p>One job reads one file after the other, two at a time. It never waits: the parent stops the whole
 * process (SIGSTOP) while others have their turn. On stdout it says "mark" each time the records of
 * one more batch have left the sources, and the checks at the end.
 */
public final class FlinkPeer {
  private FlinkPeer() {}

  public static void main(String[] args) throws Exception {
    String workload = args[0];
    int batches = Integer.parseInt(args[1]);
    int files = Integer.parseInt(args[2]);
    long records = Long.parseLong(args[3]);
    List<String> inputs = List.of(args).subList(5, args.length);
    Meter.start(records * inputs.size());
    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.createLocalEnvironment(2, settings(Path.of(args[4])));
    new Jobs(env, batches, files, inputs).build(workload);
    Checks.say(System.out, "{\"kind\":\"ready\"}");
    env.execute(workload);
    Checks.say(System.out, Results.json(workload, batches));
    Runtime.getRuntime().halt(0);
  }

  /** Exactly-once checkpoints each second, state on the heap, objects reused. What would count the time
   * that the process stands still as a failure is set far off. */
  private static Configuration settings(Path folder) {
    Configuration settings = new Configuration();
    settings.setString("state.backend.type", "hashmap");
    settings.setString("execution.checkpointing.storage", "filesystem");
    settings.setString("execution.checkpointing.dir", folder.resolve("checkpoint").toUri().toString());
    settings.setString("execution.checkpointing.interval", "1 s");
    settings.setString("execution.checkpointing.mode", "EXACTLY_ONCE");
    settings.setString("execution.checkpointing.timeout", "10 h");
    settings.setString("pipeline.object-reuse", "true");
    settings.setString("restart-strategy.type", "none");
    settings.setString("heartbeat.interval", "10 min");
    settings.setString("heartbeat.timeout", "10 h");
    settings.setString("pekko.ask.timeout", "10 h");
    settings.setString("io.tmp.dirs", folder.toString());
    return settings;
  }
}
