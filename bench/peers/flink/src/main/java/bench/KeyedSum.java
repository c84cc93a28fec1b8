package bench;

import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.runtime.state.VoidNamespaceSerializer;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/** The sum of each key in a ValueState. Gives it for each record, or only at the end of the input,
 * where it also adds all sums to the totals. */
final class KeyedSum extends AbstractStreamOperator<Tuple2<String, Long>>
    implements OneInputStreamOperator<Tuple2<String, Long>, Tuple2<String, Long>>, BoundedOneInput {
  private final boolean each;
  private transient ValueStateDescriptor<Long> descriptor;
  private transient ValueState<Long> state;

  KeyedSum(boolean each) {
    this.each = each;
  }

  @Override public void open() throws Exception {
    super.open();
    descriptor = new ValueStateDescriptor<>("sum", Types.LONG);
    state = getRuntimeContext().getState(descriptor);
  }

  @Override public void processElement(StreamRecord<Tuple2<String, Long>> record) throws Exception {
    Tuple2<String, Long> pair = record.getValue();
    Long before = state.value();
    Long sum = before == null ? pair.f1 : (Long) (before + pair.f1);
    state.update(sum);
    if (!each) return;
    pair.f1 = sum;
    output.collect(record);
  }

  @Override public void endInput() throws Exception {
    long[] totals = new long[2];
    this.<String>getKeyedStateBackend().applyToAllKeys(
        VoidNamespace.INSTANCE, VoidNamespaceSerializer.INSTANCE, descriptor, (key, kept) -> {
          Long sum = kept.value();
          totals[0]++;
          totals[1] += Checks.hash(key + "\t" + sum);
          if (!each) output.collect(new StreamRecord<>(new Tuple2<>(key, sum)));
        });
    Results.addTotals(totals[0], totals[1]);
  }
}
