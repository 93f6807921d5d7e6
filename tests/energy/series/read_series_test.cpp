#include "energy/series/read_series.h"

#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr std::int64_t kStart = 1'767'225'600;  // 2026-01-01T00:00:00Z

// "neso g/kWh average direct 'area': 0:231 15:231", with minutes since kStart.
std::string told(std::string_view json, const SeriesTerms& terms = {}) {
    const auto series = read_series(json, terms, "file");
    if (!series) return series.error().message;
    const SeriesHead& head = series->head;
    std::string text = fmt::format("{} {} {} {} '{}'{}{}:", head.format, head.unit, name(head.kind), name(head.scope),
                                   head.area, head.is_forecast ? " forecast" : "",
                                   head.passed_over > 0 ? fmt::format(" -{}", head.passed_over) : "");
    for (const Quarter& one : series->quarters)
        text += fmt::format(" {}:{:.6g}", (one.start_s - kStart) / 60, one.value);
    return text;
}

TEST(ReadSeries, Neso) {
    EXPECT_EQ(told(R"({"data":[
        {"from":"2026-01-01T00:00Z","to":"2026-01-01T00:30Z","intensity":{"forecast":230,"actual":231,"index":"high"}},
        {"from":"2026-01-01T00:30Z","to":"2026-01-01T01:00Z","intensity":{"forecast":220,"actual":null,"index":"high"}}]})"),
              "neso g/kWh average direct '' forecast: 0:231 15:231 30:220 45:220");
}

TEST(ReadSeries, NesoOfARegion) {
    EXPECT_EQ(told(R"({"data":{"regionid":3,"shortname":"North West","data":[
        {"from":"2026-01-01T00:00Z","to":"2026-01-01T00:30Z","intensity":{"forecast":40,"index":"low"}}]}})"),
              "neso g/kWh average direct 'North West' forecast: 0:40 15:40");
}

TEST(ReadSeries, ElectricityMaps) {
    EXPECT_EQ(told(R"({"zone":"DE","history":[
        {"zone":"DE","carbonIntensity":302,"datetime":"2026-01-01T00:00:00.000Z","emissionFactorType":"lifecycle"},
        {"zone":"DE","carbonIntensity":null,"datetime":"2026-01-01T00:15:00.000Z"},
        {"zone":"DE","carbonIntensity":310,"datetime":"2026-01-01T00:30:00.000Z"},
        {"zone":"DE","carbonIntensity":311,"datetime":"2026-01-01T00:45:00.000Z"}]})"),
              "electricitymaps g/kWh average lifecycle 'DE': 0:302 30:310 45:311");
    EXPECT_EQ(told(R"({"zone":"FR","carbonIntensity":41,"datetime":"2026-01-01T00:00:00.000Z"})"),
              "electricitymaps g/kWh average unknown 'FR': 0:41 15:41 30:41 45:41");
    EXPECT_EQ(told(R"({"zone":"FR","forecast":[{"carbonIntensity":41,"datetime":"2026-01-01T00:00:00.000Z"}]})"),
              "electricitymaps g/kWh average unknown 'FR' forecast: 0:41 15:41 30:41 45:41");
}

// Three points of five minutes: (900 + 1000 + 1100) / 3 = 1000 lbs/MWh = 453.592 g/kWh.
TEST(ReadSeries, WattTimeIsInPoundsPerMegawattHour) {
    EXPECT_EQ(told(R"({"data":[{"point_time":"2026-01-01T00:00:00+00:00","value":900,"version":"1"},
        {"point_time":"2026-01-01T00:05:00+00:00","value":1000},{"point_time":"2026-01-01T00:10:00+00:00","value":1100}],
        "meta":{"region":"CAISO_NORTH","signal_type":"co2_moer","units":"lbs_co2_per_mwh",
        "generated_at":"2026-01-01T00:00:00+00:00"}})"),
              "watttime g/kWh marginal unknown 'CAISO_NORTH' forecast: 0:453.592");
    EXPECT_EQ(told(R"({"data":[{"point_time":"2026-01-01T00:00:00+00:00","value":9}],
        "meta":{"signal_type":"health_damage","units":"lbs_co2_per_mwh_or_so"}})"),
              "file: 'lbs_co2_per_mwh_or_so' is no unit of carbon or price");
}

TEST(ReadSeries, Awattar) {
    EXPECT_EQ(told(R"({"object":"list","data":[{"start_timestamp":1767225600000,"end_timestamp":1767226500000,
        "marketprice":-12.5,"unit":"Eur/MWh"}]})"),
              "awattar EUR/kWh unknown unknown '': 0:-0.0125");
}

constexpr const char* kNordPool =
    R"({"deliveryDateCET":"2026-01-01","updatedAt":"2025-12-31T12:00:00Z","currency":"EUR",
    "multiAreaEntries":[{"deliveryStart":"2026-01-01T00:00:00Z","deliveryEnd":"2026-01-01T00:15:00Z",
    "entryPerArea":{"SE3":80,"SE4":null}},{"deliveryStart":"2026-01-01T00:15:00Z",
    "deliveryEnd":"2026-01-01T00:30:00Z","entryPerArea":{"SE3":-1,"SE4":2}}]})";

TEST(ReadSeries, NordPoolNeedsItsArea) {
    EXPECT_EQ(told(kNordPool, {.area = "SE3"}), "nordpool EUR/kWh unknown unknown 'SE3': 0:0.08 15:-0.001");
    EXPECT_EQ(told(kNordPool, {.area = "SE4"}), "nordpool EUR/kWh unknown unknown 'SE4': 15:0.002");
    EXPECT_EQ(told(kNordPool), "file: it has several areas: SE3, SE4");
    EXPECT_EQ(told(kNordPool, {.area = "SE1"}), "file: area 'SE1' is not there: SE3, SE4");
}

TEST(ReadSeries, OctopusCountsDirectDebitAndTax) {
    EXPECT_EQ(told(R"({"count":2,"results":[
        {"value_exc_vat":20,"value_inc_vat":21,"valid_from":"2026-01-01T00:15:00Z","valid_to":"2026-01-01T00:30:00Z"},
        {"value_exc_vat":-2,"value_inc_vat":-2.1,"valid_from":"2026-01-01T00:00:00Z","valid_to":"2026-01-01T00:15:00Z",
        "payment_method":"DIRECT_DEBIT"},
        {"value_inc_vat":99,"valid_from":"2026-01-01T00:00:00Z","valid_to":"2026-01-01T00:15:00Z",
        "payment_method":"NON_DIRECT_DEBIT"}]})"),
              "octopus GBP/kWh unknown unknown '': 0:-0.021 15:0.21");
}

TEST(ReadSeries, EnergiDataService) {
    EXPECT_EQ(told("\xEF\xBB\xBF"
                   R"({"total":2,"records":[{"Minutes5UTC":"2026-01-01T00:05:00","PriceArea":"DK1","CO2Emission":60},
        {"Minutes5UTC":"2026-01-01T00:00:00","PriceArea":"DK1","CO2Emission":50}]})"),
              "energidataservice g/kWh average unknown 'DK1': 0:55");
    EXPECT_EQ(told(R"({"records":[{"HourUTC":"2026-01-01T00:00:00","PriceArea":"DK2","SpotPriceEUR":40}]})"),
              "energidataservice EUR/kWh unknown unknown 'DK2': 0:0.04 15:0.04 30:0.04 45:0.04");
}

TEST(ReadSeries, CarbonAware) {
    EXPECT_EQ(told(R"([{"Location":"eastus","Time":"2026-01-01T00:00:00+00:00","Rating":300,"Duration":"00:30:00"}])"),
              "carbonaware g/kWh unknown unknown 'eastus': 0:300 15:300");
    EXPECT_EQ(told(R"([{"generatedAt":"2026-01-01T00:00:00Z","location":"eastus","windowSize":5,"forecastData":[
        {"location":"eastus","timestamp":"2026-01-01T00:00:00+00:00","duration":15,"value":310}]}])",
                   {.kind = GridKind::marginal}),
              "carbonaware g/kWh marginal unknown 'eastus' forecast: 0:310");
}

TEST(ReadSeries, PlainNeedsTheUsersUnit) {
    const char* json = R"([{"start":"2026-01-01T00:00:00+00:00","end":"2026-01-01T00:15:00+00:00","value":0.3}])";
    EXPECT_EQ(told(json), "file: the file does not tell its unit");
    EXPECT_EQ(told(json, {.unit = "kg/kWh", .kind = GridKind::average}), "plain g/kWh average unknown '': 0:300");
    EXPECT_EQ(told(R"({"rates":[{"start":"2026-01-01T01:00:00+01:00","end":"2026-01-01T01:15:00+01:00","value":2}]})",
                   {.unit = "EUR/kWh"}),
              "plain EUR/kWh unknown unknown '': 0:2");
}

TEST(ReadSeries, EntriesThatMakeNoSenseArePassedOverAndCounted) {
    EXPECT_EQ(told(R"([{"start":"soon","end":"2026-01-01T00:15:00Z","value":1},
        {"start":"2026-01-01T00:30:00Z","end":"2026-01-01T00:15:00Z","value":1},
        {"start":"2026-01-01T00:15:00Z","end":"2026-01-01T00:30:00Z","value":"x"},
        {"start":"2026-01-01T00:15:00Z","end":"2026-01-01T00:30:00Z","value":1e300},
        {"start":"2026-01-01T00:45:00Z","end":"2028-01-01T00:30:00Z","value":1}, 7,
        {"start":"2026-01-01T00:30:00Z","end":"2026-01-01T00:45:00Z","value":4}])",
                   {.format = "plain", .unit = "g/kWh"}),
              "plain g/kWh unknown unknown '' -6: 30:4");
}

TEST(ReadSeries, OtherBytesAreRefused) {
    EXPECT_EQ(told(""), "file: it is no JSON, or nested too deeply");
    EXPECT_EQ(told("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"), "file: it is no JSON, or nested too deeply");
    EXPECT_TRUE(told("[]").starts_with("file: the shape is that of none of neso"));
    EXPECT_EQ(told(R"({"results":[]})"), "file: no entry has a time and a number");
    EXPECT_TRUE(told("[]", {.format = "nesso"}).starts_with("file: 'nesso' is no format of grid data"));
    EXPECT_EQ(told(std::string(kMostSeriesBytes + 1, ' ')), "file: it is larger than 32 MiB");
}

TEST(ReadSeries, TheDigestIsThatOfTheBytes) {
    const std::string json = R"({"zone":"FR","carbonIntensity":41,"datetime":"2026-01-01T00:00:00.000Z"})";
    EXPECT_EQ(read_series(json, {}, "file")->head.sha256, sha256_hex(json));
}

}  // namespace
}  // namespace cultivar
