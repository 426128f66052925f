package strictyaml

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// Schema gives the JSON Schema (draft 2020-12) of the files that Decode reads
// into a T, which is a struct, indented, with a line break at the end.
func Schema[T any](title string) ([]byte, error) {
	root := structSchema(reflect.TypeFor[T]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = title
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(root); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func structSchema(t reflect.Type) map[string]any {
	fields := fieldsOf(t)
	properties := map[string]any{}
	var required []string
	for _, f := range fields.list {
		if f.position {
			continue
		}
		properties[f.name] = fieldSchema(t.Field(f.index).Type, f.tag)
		if f.tag.Get("required") != "" {
			required = append(required, f.name)
		}
	}
	// Decode takes an empty group for one without keys.
	schema := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if required != nil {
		schema["required"] = required
	} else {
		schema["type"] = []string{"object", "null"}
	}
	if fields.short >= 0 {
		short := fields.list[fields.short]
		alone := fieldSchema(t.Field(short.index).Type, short.tag)
		return map[string]any{"anyOf": []any{alone, schema}}
	}
	return schema
}

// fieldSchema is the schema of a field with what its tags say.
func fieldSchema(t reflect.Type, tag reflect.StructTag) map[string]any {
	schema := typeSchema(t, tag)
	if doc := tag.Get("doc"); doc != "" {
		schema["description"] = doc
	}
	if text, ok := tag.Lookup("default"); ok {
		var value any
		if err := yaml.Load([]byte(text), &value); err != nil {
			panic(fmt.Sprintf("default %q: %v", text, err))
		}
		schema["default"] = value
	}
	if example := tag.Get("example"); example != "" {
		schema["examples"] = []string{example}
	}
	return schema
}

func typeSchema(t reflect.Type, tag reflect.StructTag) map[string]any {
	if v, ok := reflect.New(t).Interface().(target); ok {
		return v.schema(tag)
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return structSchema(t)
}

// durationPattern is what time.ParseDuration takes, without signs.
const durationPattern = `^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$`

func (v *Value[T]) schema(tag reflect.StructTag) map[string]any {
	switch any(v.V).(type) {
	case bool:
		return map[string]any{"type": "boolean"}
	case int:
		schema := map[string]any{"type": "integer"}
		for key, limit := range map[string]string{"minimum": tag.Get("min"), "maximum": tag.Get("max")} {
			if n, err := strconv.Atoi(limit); err == nil {
				schema[key] = n
			}
		}
		return schema
	case time.Duration:
		return map[string]any{"anyOf": []any{
			map[string]any{"type": "string", "pattern": durationPattern},
			map[string]any{"const": 0},
		}}
	default:
		schema := map[string]any{"type": "string"}
		if enum := tag.Get("enum"); enum != "" {
			schema["enum"] = strings.Split(enum, ",")
		}
		if pattern := tag.Get("pattern"); pattern != "" {
			schema["pattern"] = pattern
		}
		return schema
	}
}

func (l *List[T]) schema(tag reflect.StructTag) map[string]any {
	item := typeSchema(reflect.TypeFor[T](), tag)
	return map[string]any{"anyOf": []any{item, map[string]any{"type": "array", "items": item}}}
}

func (m *Map[T]) schema(tag reflect.StructTag) map[string]any {
	schema := map[string]any{"type": []string{"object", "null"}, "additionalProperties": typeSchema(reflect.TypeFor[T](), tag)}
	if keys := tag.Get("keys"); keys != "" {
		schema["propertyNames"] = map[string]any{"pattern": keys}
	}
	return schema
}
