-- Everything that CMake might take for its own: ${HOME} @HOME@ [[x]] \${y} \; a;b "q" \n \\ #1
CREATE TABLE first (
    text VARCHAR(64) NOT NULL DEFAULT '[a;b]'
);
INSERT INTO first VALUES ('お茶 [1;2] ${x} @y@ \\ "quoted" ''single''');
