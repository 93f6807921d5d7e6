#include "pool/util/sqlite.h"

#include <gtest/gtest.h>

#include "tests/pool/support/world.h"

namespace cultivar {
namespace {

class SqliteTest : public ::testing::Test {
protected:
    SqliteTest() : db_(must(Database::open(":memory:"))) {
        must(db_.execute("CREATE TABLE gene(name TEXT, value REAL, place INTEGER)"));
        Statement put = must(db_.prepare("INSERT INTO gene VALUES(:name, :value, :place)"));
        must(put.bind(":name", "width").bind(":value", 0.5).bind(":place", 1).run());
        must(put.clear().bind(":place", std::size_t{2}).bind(":name", std::optional<std::string>()).run());
    }
    Database db_;
};

TEST_F(SqliteTest, BindsByNameAndReadsRowsFromTheLeft) {
    Statement get = must(db_.prepare("SELECT name, value, place FROM gene ORDER BY place"));
    struct Gene {
        std::string name;
        std::optional<double> value;
        int place;
    };
    const auto rows = must(get.all([](Row& row) { return Gene{row.text(), row.real_if(), row.count()}; }));
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0].name, "width");
    EXPECT_EQ(rows[0].value, 0.5);
    EXPECT_EQ(rows[1].name, "");
    EXPECT_EQ(rows[1].value, std::nullopt);
    EXPECT_EQ(rows[1].place, 2);
}

TEST_F(SqliteTest, ANameThatTheStatementDoesNotHaveIsAnError) {
    Statement get = must(db_.prepare("SELECT 1 FROM gene WHERE name = :name"));
    auto found = get.bind(":nmae", "width").any();
    ASSERT_FALSE(found);
    EXPECT_NE(found.error().message.find(":nmae"), std::string::npos);
}

TEST_F(SqliteTest, TheFirstRowOrNothing) {
    Statement get = must(db_.prepare("SELECT place FROM gene WHERE name = :name"));
    auto place = [](Row& row) { return row.count(); };
    EXPECT_EQ(must(get.bind(":name", "width").first(place)), 1);
    EXPECT_EQ(must(get.bind(":name", "depth").first(place)), std::nullopt);
    EXPECT_TRUE(must(get.bind(":name", "width").any()));
}

TEST_F(SqliteTest, AnErrorStopsARowByRowReading) {
    Statement get = must(db_.prepare("SELECT place FROM gene ORDER BY place"));
    int met = 0;
    auto read = get.each([&](Row&) -> Result<void> {
        ++met;
        return fail(Code::corrupt, "enough");
    });
    EXPECT_FALSE(read);
    EXPECT_EQ(met, 1);
}

}  // namespace
}  // namespace cultivar
