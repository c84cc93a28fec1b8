package bench;

import java.io.PrintStream;
import java.util.List;

/** Results as checksums, as in bench/check.ts, and the lines that the parent reads. */
final class Checks {
  private Checks() {}

  /** FNV-1a, 32 bits, over the characters of a row in ASCII. */
  static long hash(String row) {
    int hash = 0x811c9dc5;
    for (int i = 0; i < row.length(); i++) hash = (hash ^ row.charAt(i)) * 0x01000193;
    return hash & 0xffffffffL;
  }

  static String show(long rows, long sum) {
    return rows + ":" + String.format("%08x", sum & 0xffffffffL);
  }

  static String ofRow(String row) {
    return show(1, hash(row));
  }

  static String quoted(List<String> checks) {
    return checks.isEmpty() ? "[]" : "[\"" + String.join("\",\"", checks) + "\"]";
  }

  /** Writes one line; the parent reads stdout line by line. */
  static void say(PrintStream out, String json) {
    out.println(json);
    out.flush();
  }
}
