package bench;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.FileSourceSplit;
import org.apache.flink.connector.file.src.assigners.FileSplitAssigner;
import org.apache.flink.connector.file.src.impl.StreamFormatAdapter;
import org.apache.flink.connector.file.src.reader.BulkFormat;
import org.apache.flink.connector.file.src.reader.TextLineInputFormat;
import org.apache.flink.connector.file.src.util.RecordAndPosition;
import org.apache.flink.core.fs.Path;

/** The files of an input, in order. */
final class Sources {
  private Sources() {}

  static Path[] paths(String folder, int batches, int files) {
    Path[] paths = new Path[batches];
    String absolute = java.nio.file.Path.of(folder).toAbsolutePath().toString();
    for (int i = 0; i < batches; i++) {
      paths[i] = new Path("file://" + absolute + String.format("/batch-%05d.txt", i % files));
    }
    return paths;
  }

  static FileSource<String> lines(Path[] paths) {
    return FileSource.forRecordStreamFormat(new TextLineInputFormat(), paths)
        .setSplitAssigner(InOrder::new).build();
  }

  static FileSource<Tuple2<Integer, String>> indexedLines(Path[] paths) {
    return FileSource.forBulkFileFormat(new IndexedLines(), paths)
        .setSplitAssigner(InOrder::new).build();
  }

  /** Gives the files in the order of their paths; those that are read again, again after the others. */
  private static final class InOrder implements FileSplitAssigner {
    private final ArrayDeque<FileSourceSplit> splits;

    InOrder(Collection<FileSourceSplit> all) {
      List<FileSourceSplit> sorted = new ArrayList<>(all);
      // Split ids count up in the order of the paths.
      sorted.sort(Comparator.comparing((FileSourceSplit s) -> s.splitId().length())
          .thenComparing(FileSourceSplit::splitId));
      splits = new ArrayDeque<>(sorted);
    }

    @Override public Optional<FileSourceSplit> getNext(String host) {
      return Optional.ofNullable(splits.poll());
    }

    @Override public void addSplits(Collection<FileSourceSplit> back) {
      splits.addAll(back);
    }

    @Override public Collection<FileSourceSplit> remainingSplits() {
      return splits;
    }
  }

  /** Lines with the index of their file, which stands for the batch's time. */
  private static final class IndexedLines implements BulkFormat<Tuple2<Integer, String>, FileSourceSplit> {
    private final StreamFormatAdapter<String> lines = new StreamFormatAdapter<>(new TextLineInputFormat());

    @Override public Reader<Tuple2<Integer, String>> createReader(Configuration config, FileSourceSplit split)
        throws IOException {
      return indexed(lines.createReader(config, split), split);
    }

    @Override public Reader<Tuple2<Integer, String>> restoreReader(Configuration config, FileSourceSplit split)
        throws IOException {
      return indexed(lines.restoreReader(config, split), split);
    }

    @Override public boolean isSplittable() {
      return false;
    }

    @Override public TypeInformation<Tuple2<Integer, String>> getProducedType() {
      return Types.TUPLE(Types.INT, Types.STRING);
    }
  }

  private static BulkFormat.Reader<Tuple2<Integer, String>> indexed(
      BulkFormat.Reader<String> reader, FileSourceSplit split) {
    int index = Integer.parseInt(split.path().getName().substring(6, 11));
    return new BulkFormat.Reader<>() {
      @Override public BulkFormat.RecordIterator<Tuple2<Integer, String>> readBatch() throws IOException {
        BulkFormat.RecordIterator<String> lines = reader.readBatch();
        return lines == null ? null : indexed(lines, index);
      }

      @Override public void close() throws IOException {
        reader.close();
      }
    };
  }

  private static BulkFormat.RecordIterator<Tuple2<Integer, String>> indexed(
      BulkFormat.RecordIterator<String> lines, int index) {
    return new BulkFormat.RecordIterator<>() {
      @Override public RecordAndPosition<Tuple2<Integer, String>> next() {
        RecordAndPosition<String> line = lines.next();
        if (line == null) return null;
        Tuple2<Integer, String> indexed = Tuple2.of(index, line.getRecord());
        return new RecordAndPosition<>(indexed, line.getOffset(), line.getRecordSkipCount());
      }

      @Override public void releaseBatch() {
        lines.releaseBatch();
      }
    };
  }
}
