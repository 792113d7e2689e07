# cmake -DOUT=… -DNAMESPACE=… -DSET=… -DHEADER=… "-DFILES=a|b" -P EmbedMigrations.cmake
#   Writes a .cc that defines NAMESPACE::Migrations() with the text of the files V<n>__<name>.sql.

cmake_minimum_required(VERSION 3.25)
string(REPLACE "|" ";" FILES "${FILES}")
set(rows "")
set(seen "")
foreach(file IN LISTS FILES)
    get_filename_component(base "${file}" NAME)
    if(NOT base MATCHES "^V([1-9][0-9]*)__([a-z0-9_]+)\\.sql$")
        message(FATAL_ERROR "${file}: migrations are named V<number>__<lower_case_name>.sql")
    endif()
    set(version ${CMAKE_MATCH_1})
    set(name ${CMAKE_MATCH_2})
    if(version IN_LIST seen)
        message(FATAL_ERROR "${file}: there is another migration V${version}")
    endif()
    list(APPEND seen ${version})
    file(READ "${file}" text)
    string(FIND "${text}" ")kessai_sql\"" clash)
    if(NOT clash EQUAL -1)
        message(FATAL_ERROR "${file}: contains the delimiter of the embedding literal")
    endif()
    string(APPEND rows "            {${version}, \"${name}\", R\"kessai_sql(${text})kessai_sql\"},\n")
endforeach()
if(seen STREQUAL "")
    message(FATAL_ERROR "no migrations given for ${SET}")
endif()

file(WRITE "${OUT}.new" "// Generated from migrations/*.sql by cmake/EmbedMigrations.cmake.
#include \"${HEADER}\"

namespace ${NAMESPACE} {

::kessai::mysql::MigrationSet Migrations() {
    return {\"${SET}\",
            {
${rows}            }};
}

}  // namespace ${NAMESPACE}
")
file(COPY_FILE "${OUT}.new" "${OUT}" ONLY_IF_DIFFERENT)
file(REMOVE "${OUT}.new")
