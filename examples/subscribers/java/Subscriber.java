import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * A hospital's subscriber in Java: each recommendation event takes effect once in the hospital's own database.
 *
 * <pre>java -cp 'libs/*' Subscriber.java BROKERS DATABASE [TOPIC [GROUP]]</pre>
 *
 * What it relies on: docs/subscribing.md. End it in any way and start it again; it goes on where its database says. It
 * has no access to the results store: what it missed it takes from the full list that every event carries.
 */
public final class Subscriber {
  private static final List<String> TABLES = List.of(
      "CREATE TABLE IF NOT EXISTS positions (part INTEGER PRIMARY KEY, next INTEGER NOT NULL)",
      "CREATE TABLE IF NOT EXISTS patients (patient TEXT PRIMARY KEY, sequence INTEGER NOT NULL)",
      "CREATE TABLE IF NOT EXISTS advice (patient TEXT, rule TEXT, drug TEXT NOT NULL, actions TEXT NOT NULL,"
          + " PRIMARY KEY (patient, rule))",
      "CREATE TABLE IF NOT EXISTS notices (number INTEGER PRIMARY KEY, patient TEXT NOT NULL,"
          + " sequence INTEGER NOT NULL, change TEXT NOT NULL, rule TEXT NOT NULL, drug TEXT NOT NULL)");
  private static final ObjectMapper JSON = new ObjectMapper();

  private record Advice(String drug, String actions) {}

  private final Connection database;

  private Subscriber(Connection database) throws SQLException {
    this.database = database;
    for (String table : TABLES) {
      change(table);
    }
    database.setAutoCommit(false);
  }

  public static void main(String[] arguments) throws Exception {
    String topic = arguments.length > 2 ? arguments[2] : "pgx.recommendation.v1";
    Map<String, Object> settings = Map.of(
        "bootstrap.servers", arguments[0],
        "group.id", arguments.length > 3 ? arguments[3] : "hospital-java",
        // A process that comes back under its name gets its partitions at once, also after a crash.
        "group.instance.id", "1",
        "enable.auto.commit", false,
        "auto.offset.reset", "earliest",
        "key.deserializer", StringDeserializer.class,
        "value.deserializer", StringDeserializer.class);
    try (Connection database = DriverManager.getConnection("jdbc:sqlite:" + arguments[1] + "?busy_timeout=60000");
        KafkaConsumer<String, String> consumer = new KafkaConsumer<>(settings)) {
      Subscriber subscriber = new Subscriber(database);
      consumer.subscribe(List.of(topic), subscriber.startingAt(consumer));
      while (true) {
        subscriber.take(consumer.poll(Duration.ofSeconds(1)));
      }
    }
  }

  /** Where reading begins is what the hospital's database says, not what the broker remembers of the group. */
  private ConsumerRebalanceListener startingAt(KafkaConsumer<?, ?> consumer) {
    return new ConsumerRebalanceListener() {
      @Override
      public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        for (TopicPartition place : partitions) {
          long next = number("SELECT next FROM positions WHERE part = ?", place.partition());
          consumer.seek(place, next);
        }
      }

      @Override
      public void onPartitionsRevoked(Collection<TopicPartition> partitions) {}
    };
  }

  /** The effects of the messages and the position after them, in one transaction. */
  private void take(Iterable<ConsumerRecord<String, String>> messages) throws Exception {
    for (ConsumerRecord<String, String> message : messages) {
      if (message.value() == null) {
        erase(message.key());
      } else {
        take(message.key(), JSON.readTree(message.value()));
      }
      change("INSERT OR REPLACE INTO positions VALUES (?, ?)", message.partition(), message.offset() + 1);
    }
    database.commit();
  }

  private void take(String patient, JsonNode event) throws SQLException {
    long last = number("SELECT sequence FROM patients WHERE patient = ?", patient);
    long sequence = event.get("sequence").asLong();
    if (sequence <= last) {
      return; // delivered before
    }
    if (sequence == last + 1) {
      for (JsonNode one : event.get("changes")) {
        JsonNode about = one.get("after").isNull() ? one.get("before") : one.get("after");
        tell(patient, sequence, one.get("change").asText(), one.get("rule").asText(), about.get("drug").asText());
      }
    } else {
      System.err.printf("%s: events %d to %d did not come%n", patient, last + 1, sequence - 1);
      tellDifferences(patient, event);
    }
    change("INSERT OR REPLACE INTO patients VALUES (?, ?)", patient, sequence);
    change("DELETE FROM advice WHERE patient = ?", patient);
    for (JsonNode one : event.get("recommendations")) {
      Advice advice = advice(one);
      change("INSERT INTO advice VALUES (?, ?, ?, ?)",
          patient, one.get("rule").asText(), advice.drug(), advice.actions());
    }
  }

  /** What the event's full list says otherwise than ours: all that matters of what was missed. */
  private void tellDifferences(String patient, JsonNode event) throws SQLException {
    Map<String, Advice> before = current(patient);
    Map<String, Advice> after = new TreeMap<>();
    event.get("recommendations").forEach(one -> after.put(one.get("rule").asText(), advice(one)));
    long sequence = event.get("sequence").asLong();
    for (Map.Entry<String, Advice> old : before.entrySet()) {
      if (!after.containsKey(old.getKey())) {
        tell(patient, sequence, "withdrawn", old.getKey(), old.getValue().drug());
      }
    }
    for (Map.Entry<String, Advice> now : after.entrySet()) {
      Advice was = before.get(now.getKey());
      if (!Objects.equals(was, now.getValue())) {
        tell(patient, sequence, was == null ? "issued" : "changed", now.getKey(), now.getValue().drug());
      }
    }
  }

  private void tell(String patient, long sequence, String change, String rule, String drug) throws SQLException {
    change("INSERT INTO notices (patient, sequence, change, rule, drug) VALUES (?, ?, ?, ?, ?)",
        patient, sequence, change, rule, drug);
  }

  /** A message without a value: the patient was erased, so nothing about them is kept here either. */
  private void erase(String patient) throws SQLException {
    for (String table : List.of("patients", "advice", "notices")) {
      change("DELETE FROM " + table + " WHERE patient = ?", patient);
    }
  }

  private static Advice advice(JsonNode recommendation) {
    StringBuilder actions = new StringBuilder();
    recommendation.get("actions").forEach(
        action -> actions.append(actions.isEmpty() ? "" : ", ").append(action.asText()));
    return new Advice(recommendation.get("drug").asText(), actions.toString());
  }

  private Map<String, Advice> current(String patient) throws SQLException {
    Map<String, Advice> found = new TreeMap<>();
    try (PreparedStatement statement =
            prepared("SELECT rule, drug, actions FROM advice WHERE patient = ?", patient);
        ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        found.put(rows.getString(1), new Advice(rows.getString(2), rows.getString(3)));
      }
    }
    return found;
  }

  /** The number that a query finds; 0 where it finds none. */
  private long number(String query, Object value) {
    try (PreparedStatement statement = prepared(query, value); ResultSet rows = statement.executeQuery()) {
      return rows.next() ? rows.getLong(1) : 0;
    } catch (SQLException error) {
      throw new IllegalStateException(error);
    }
  }

  private void change(String statement, Object... values) throws SQLException {
    try (PreparedStatement prepared = prepared(statement, values)) {
      prepared.executeUpdate();
    }
  }

  private PreparedStatement prepared(String text, Object... values) throws SQLException {
    PreparedStatement statement = database.prepareStatement(text);
    for (int place = 0; place < values.length; place++) {
      statement.setObject(place + 1, values[place]);
    }
    return statement;
  }
}
